"""The contract that every store keeps; `tests/store` runs the same tests over each of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

_KEY = re.compile(r"[A-Za-z0-9._=-]+(/[A-Za-z0-9._=-]+)*")


@dataclass(frozen=True, order=True)
class ObjectInfo:
    """What a listing tells of an object.

    Attributes:
        key: Its name, ``/`` between parts.
        size: Bytes.
        tag: Changes whenever the content does (an ETag).
        modified: When it was last written, UTC.
    """

    key: str
    size: int
    tag: str
    modified: datetime


@dataclass(frozen=True)
class StoredObject:
    """An object's content and the tag it had when it was read."""

    content: bytes
    tag: str


class ObjectStore(Protocol):
    """A flat space of keys with conditional writes and read-after-write consistency.

    Every method raises `StoreUnavailableError` when the store does not answer, and `ValueError`
    for a key that `check_key` refuses.
    """

    @property
    def url(self) -> str:
        """The store's address, without credentials."""
        ...

    def get(self, key: str) -> StoredObject:
        """Read an object.

        Raises:
            ObjectMissingError: Nothing has that key.
        """
        ...

    def find(self, key: str) -> ObjectInfo | None:
        """Return what is known of an object, or None when nothing has that key."""
        ...

    def put(self, key: str, content: bytes) -> str:
        """Write an object whatever was there (content-addressed keys); return its tag."""
        ...

    def put_if_absent(self, key: str, content: bytes) -> str:
        """Write an object that must not exist yet; return its tag.

        Raises:
            PreconditionError: The key exists.
        """
        ...

    def put_if_match(self, key: str, content: bytes, tag: str) -> str:
        """Replace an object that must still have `tag`; return the new tag.

        Raises:
            PreconditionError: The object has another tag or is gone.
        """
        ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with `prefix`, by key."""
        ...

    def list_folders(self, prefix: str) -> Iterator[str]:
        """Yield the next part of the keys below the folder `prefix` (ends in ``/``), by name."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when there is none."""
        ...


def check_key(key: str) -> str:
    """Return `key` when it is one that every store can hold.

    Raises:
        ValueError: Parts other than ``[A-Za-z0-9._=-]``, ``.`` or ``..``, or over 900 characters.
    """
    parts = key.split("/")
    if not _KEY.fullmatch(key) or "." in parts or ".." in parts or len(key) > 900:
        msg = f"{key!r} is not a key: parts of letters, digits, '.', '_', '=', '-' between '/'"
        raise ValueError(msg)
    return key
