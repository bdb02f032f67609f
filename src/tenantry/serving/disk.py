"""A folder on this machine with what was read from the store, so that a restart needs no store.

It holds objects under their keys, and the change index as it was read last. Nothing in it is
trusted: every object is compared with its digest when it is read, here as in the store.
"""

import logging
import os
import shutil
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from tenantry import layout
from tenantry.digests import sha256
from tenantry.serving.index import Bucket, Entry
from tenantry.store.contract import check_key

LOG = logging.getLogger(__name__)

_OBJECTS, _INDEX = "objects", "index"
_SUFFIX = ".part"


class Disk:
    """The folder; without one nothing is kept and nothing found.

    What cannot be written is not kept: a full disk does not stop a server.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._failed = False

    def read(self, key: str, digest: str) -> bytes | None:
        """Return an object that has this digest; None where there is none."""
        if self._folder is None:
            return None
        path = self._path(key)
        try:
            content = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        return content if sha256(content) == digest else None

    def write(self, key: str, content: bytes) -> None:
        """Keep an object."""
        if self._folder is not None:
            self._write(self._path(key), content)

    def keep_only(self, product: str, tenant: str, keys: Collection[str]) -> None:
        """Remove what is kept of a tenant save these keys; an erased tenant has none."""
        if self._folder is None:
            return
        folder = self._path(layout.tenant_folder(product, tenant).rstrip("/"))
        if not keys:
            shutil.rmtree(folder, ignore_errors=True)
            return
        kept = {self._path(key) for key in keys}
        for path in folder.rglob("*"):
            if path.is_file() and path not in kept:
                path.unlink(missing_ok=True)

    def sweep_pooled(self, product: str, unused_seconds: float) -> None:
        """Remove pooled models that nobody has read for so long, and what a killed write left."""
        if self._folder is None:
            return
        oldest = time.time() - unused_seconds
        for path in self._path(layout.pooled_models_folder(product).rstrip("/")).rglob("*"):
            with suppress(OSError):
                if path.is_file() and path.stat().st_mtime < oldest:
                    path.unlink()

    def write_index(self, product: str, bucket: str, entries: Mapping[str, Entry]) -> None:
        """Keep a bucket of the change index."""
        if self._folder is not None:
            content = Bucket(tenants=dict(entries)).to_json()
            self._write(self._folder / _INDEX / product / f"{bucket}.json", content)

    def read_index(self) -> dict[str, dict[str, dict[str, Entry]]]:
        """Return the change index as it was kept: product → bucket → tenant → entry."""
        found: dict[str, dict[str, dict[str, Entry]]] = {}
        if self._folder is None:
            return found
        for path in sorted((self._folder / _INDEX).glob("*/*.json")):
            try:
                bucket = Bucket.from_json(path.read_bytes(), path.name)
            except (OSError, ValueError):
                LOG.warning("a bucket of the cached index cannot be read; the store's is awaited")
                continue
            found.setdefault(path.parent.name, {})[path.stem] = bucket.tenants
        return found

    def _path(self, key: str) -> Path:
        if self._folder is None:
            msg = "there is no folder"
            raise ValueError(msg)
        return self._folder / _OBJECTS / check_key(key)

    def _write(self, path: Path, content: bytes) -> None:
        part = path.with_name(f"{path.name}.{os.getpid()}-{time.monotonic_ns()}{_SUFFIX}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(content)
            part.replace(path)
            self._failed = False
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            if not self._failed:
                LOG.warning("nothing is cached on disk: %s", error.strerror or "it failed")
            self._failed = True
