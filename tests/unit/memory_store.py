"""A store in memory, for tests of what is built on the contract."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

from tenantry.errors import ObjectMissingError, PreconditionError
from tenantry.store.contract import ObjectInfo, StoredObject, check_key, check_place
from tenantry.store.purged import Purged


class MemoryStore:
    """Keeps the contract of `ObjectStore` in a dictionary; counts reads and listings."""

    url = "memory://"

    def __init__(self) -> None:
        self.objects: dict[str, StoredObject] = {}
        self.reads = 0
        self.listings = 0
        self._tags = count(1)
        self._lock = threading.Lock()

    def identify(self) -> str:
        return self.url

    def get(self, key: str) -> StoredObject:
        self.reads += 1
        try:
            return self.objects[key]
        except KeyError:
            raise ObjectMissingError(key) from None

    def find(self, key: str) -> ObjectInfo | None:
        return self._info(key) if key in self.objects else None

    def put(self, key: str, content: bytes) -> str:
        with self._lock:
            return self._write(key, content)

    def put_if_absent(self, key: str, content: bytes) -> str:
        with self._lock:
            if key in self.objects:
                raise PreconditionError(key)
            return self._write(key, content)

    def put_if_match(self, key: str, content: bytes, tag: str) -> str:
        with self._lock:
            if key not in self.objects or self.objects[key].tag != tag:
                raise PreconditionError(key)
            return self._write(key, content)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        self.listings += 1
        return iter([self._info(key) for key in sorted(self.objects) if key.startswith(prefix)])

    def list_folders(self, prefix: str) -> Iterator[str]:
        inner = (key.removeprefix(prefix) for key in self.objects if key.startswith(prefix))
        return iter(sorted({key.split("/")[0] for key in inner if "/" in key}))

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def purge(self, place: str, *, keep_latest: bool = False) -> Purged:
        is_folder = check_place(place).endswith("/")
        found = [
            info
            for info in self.list(place)
            if not keep_latest and (is_folder or info.key == place)
        ]
        for info in found:
            self.delete(info.key)
        return Purged(tuple(i.key for i in found), len(found), sum(i.size for i in found))

    def _write(self, key: str, content: bytes) -> str:
        tag = str(next(self._tags))
        self.objects[check_key(key)] = StoredObject(content, tag)
        return tag

    def _info(self, key: str) -> ObjectInfo:
        stored = self.objects[key]
        return ObjectInfo(key, len(stored.content), stored.tag, datetime(2013, 1, 1, tzinfo=UTC))
