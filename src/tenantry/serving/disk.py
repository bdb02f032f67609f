"""A folder on this machine with what was read from the store, so that a restart needs no store.

It holds objects under their keys, and the change index as it was read last. Nothing in it is
trusted: every object is compared with its digest when it is read, here as in the store. Of objects
it holds so many bytes at most; those that were used least recently go.
"""

import logging
import os
import shutil
import stat
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from tenantry import layout
from tenantry.digests import sha256
from tenantry.serving.entries import Bucket, Entry
from tenantry.store.contract import check_key

LOG = logging.getLogger(__name__)

_OBJECTS, _INDEX = "objects", "index"
_SUFFIX = ".part"
_LEFT = 0.9
"""Share of the bound that is left when room is made, so that it is not made for every object."""


class Disk:
    """The folder; without one nothing is kept and nothing found.

    What cannot be written is not kept: a full disk does not stop a server.

    Args:
        folder: The folder; made when something is written.
        most_bytes: Of objects in it. Processes that share a folder each count what they write, so
            that together they may exceed it, until the next of them makes room.
    """

    def __init__(self, folder: Path | None, most_bytes: int = 2 << 30) -> None:
        self._folder = folder
        self._most = most_bytes
        self._bytes: int | None = None
        self._trimming = threading.Lock()
        self._failed = False

    def read(self, key: str, digest: str) -> bytes | None:
        """Return an object that has this digest; None where there is none."""
        if self._folder is None:
            return None
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        self.touch(key)
        return content if sha256(content) == digest else None

    def touch(self, key: str) -> None:
        """Count an object as used now."""
        if self._folder is not None:
            with suppress(OSError):
                os.utime(self._path(key))

    def write(self, key: str, content: bytes) -> None:
        """Keep an object; make room for it."""
        if self._folder is None:
            return
        self._write(self._path(key), content)
        if self._bytes is not None:
            self._bytes += len(content)
        if self._bytes is None or self._bytes > self._most:
            self._make_room()

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

    def forget_rows(self, product: str, tenant: str, versions: Collection[str]) -> None:
        """Remove a tenant's past, which holds rows, and its models save these versions."""
        if self._folder is None:
            return
        past = self._path(layout.serving_records_folder(product, tenant).rstrip("/"))
        for path in past.glob("*.online"):
            path.unlink(missing_ok=True)
        for path in self._path(layout.models_folder(product, tenant).rstrip("/")).glob("*"):
            if path.name not in versions:
                shutil.rmtree(path, ignore_errors=True)

    def keep_tenants(self, product: str, tenants: Collection[str]) -> None:
        """Remove what is kept of all other tenants of a product."""
        if self._folder is None:
            return
        folder = self._path(layout.product_folder(product).rstrip("/"))
        for path in folder.glob("*"):
            if path.name not in tenants:
                shutil.rmtree(path, ignore_errors=True)

    def pooled_keys(self, product: str) -> list[str]:
        """Return the keys of the product's pooled models that are kept."""
        if self._folder is None:
            return []
        root = self._folder / _OBJECTS
        folder = self._path(layout.pooled_models_folder(product).rstrip("/"))
        kept = (path for path in folder.rglob("*") if path.suffix != _SUFFIX and path.is_file())
        return sorted(str(path.relative_to(root)) for path in kept)

    def remove(self, key: str) -> None:
        """Remove an object."""
        with suppress(OSError):
            self._path(key).unlink(missing_ok=True)

    def find_products(self) -> list[str]:
        """Return the products whose change index is kept."""
        folder = self._folder and self._folder / _INDEX
        return sorted(path.name for path in folder.glob("*/")) if folder else []

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

    def _make_room(self) -> None:
        """Count what is there; where it is too much, remove what was used least recently."""
        if self._folder is None or not self._trimming.acquire(blocking=False):
            return
        try:
            files = sorted(_files(self._folder / _OBJECTS))
            total = sum(size for _, size, _ in files)
            most = self._most if total <= self._most else int(_LEFT * self._most)
            for _, size, path in files:
                if total <= most:
                    break
                with suppress(OSError):
                    path.unlink(missing_ok=True)
                    total -= size
            self._bytes = total
        finally:
            self._trimming.release()

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


def _files(folder: Path) -> Iterator[tuple[int, int, Path]]:
    """Yield when each file below a folder was used last, nanoseconds, its bytes and its path."""
    for path in folder.rglob("*"):
        with suppress(OSError):
            status = path.stat()
            if stat.S_ISREG(status.st_mode):
                yield status.st_mtime_ns, status.st_size, path
