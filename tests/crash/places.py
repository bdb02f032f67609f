"""Stores for runs to be killed in: folders, and prefixes of a bucket of a real MinIO."""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from minio import Minio

from tenantry.settings import Isolation
from tenantry.store.contract import ObjectStore
from tenantry.store.folder import FolderStore
from tenantry.store.minio import MinioStore
from tenantry.store.s3_client import BucketAddress
from tests.servers.minio import MinioServer


@dataclass(frozen=True)
class Place:
    """A store, and how a run is told of it."""

    name: str
    store: ObjectStore
    env: dict[str, str]

    def through(self, endpoint: str) -> dict[str, str]:
        """Return how a run is told of a bucket by way of another host and port."""
        url = urlsplit(self.env["TENANTRY_STORE"])
        return self.env | {"TENANTRY_STORE": url._replace(netloc=endpoint).geturl()}


class Folders:
    """Makes stores that are folders."""

    name = "folder"

    def __init__(self, home: Path) -> None:
        self._home = home

    def new(self, base: Place | None = None) -> Place:
        """Make a store, empty or with all that another holds."""
        name = secrets.token_hex(6)
        folder = self._home / name
        if base:
            shutil.copytree(Path(base.env["TENANTRY_STORE"].removeprefix("file://")), folder)
        return Place(name, FolderStore(folder), {"TENANTRY_STORE": folder.as_uri()})

    def remains(self, place: Place) -> list[str]:
        """Return what a store holds that is no object: drafts."""
        folder = Path(place.env["TENANTRY_STORE"].removeprefix("file://"))
        keys = {info.key for info in place.store.list("")}
        files = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        return sorted(set(files) - keys)

    def remove(self, place: Place) -> None:
        shutil.rmtree(place.env["TENANTRY_STORE"].removeprefix("file://"), ignore_errors=True)


class Buckets:
    """Makes stores that are prefixes of one bucket.

    Args:
        server: Where.
        isolation: Of runs: by default workers are forks here, with what is imported.
    """

    name = "minio"

    def __init__(self, server: MinioServer, isolation: Isolation = "shared") -> None:
        self._server, self._bucket = server, f"crash-{secrets.token_hex(6)}"
        self._isolation = isolation
        keys = (server.access_key, server.secret_key)
        Minio(server.endpoint, *keys, secure=False).make_bucket(self._bucket)

    def new(self, base: Place | None = None) -> Place:
        """Make a store, empty or with all that another holds."""
        name = secrets.token_hex(6)
        address = BucketAddress(
            endpoint=self._server.endpoint,
            bucket=self._bucket,
            access_key=self._server.access_key,
            secret_key=self._server.secret_key,
            prefix=f"{name}/",
            secure=False,
        )
        store = MinioStore(address)
        for info in base.store.list("") if base else ():
            store.put(info.key, base.store.get(info.key).content)
        env = {
            "TENANTRY_STORE": address.url,
            "AWS_ACCESS_KEY_ID": address.access_key,
            "AWS_SECRET_ACCESS_KEY": address.secret_key,
            "TENANTRY_ISOLATION": self._isolation,
        }
        return Place(name, store, env)

    def remains(self, place: Place) -> list[str]:
        """Return what a store holds that is no object: nothing, in a bucket."""
        return []

    def remove(self, place: Place) -> None:
        for folder in list(place.store.list_folders("")):
            place.store.purge(f"{folder}/")


Places = Folders | Buckets
"""Makes stores of one kind."""
