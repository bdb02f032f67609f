"""The contract that every store keeps; `tests/store` runs the same tests over each of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tenantry.store.purged import Purged

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

    A key must not be the folder of other keys: some stores refuse that, others hide the objects.

    Every method raises `StoreUnavailableError` when the store does not answer, and `ValueError`
    for a key that `check_key` refuses. A store can be pickled and used after a fork.

    A conditional write that failed with `StoreUnavailableError` may have happened. One whose
    answer was lost counts as won when the object now holds the very same bytes; where two writers
    must not both believe that they won, the content has to name the writer. Writing the same
    bytes again keeps the tag: a pointer needs a counter in it. A key that conditional writes guard
    is never written by `put` as well: in a bucket with versions that can go unseen.
    """

    @property
    def url(self) -> str:
        """The store's address, without credentials."""
        ...

    def identify(self) -> str:
        """Tell what answers, as far as it says: address, server, deployment; no secret.

        A store that was proven to keep this contract is proven again when this changes.
        """
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
        """Yield every object whose key starts with `prefix`, by key (in order of code points)."""
        ...

    def list_folders(self, prefix: str) -> Iterator[str]:
        """Yield the names of the folders directly below `prefix`, by name.

        A folder is a part that further parts follow; objects directly below are left out. A bucket
        with versions may still name a folder whose objects were deleted, but not one purged.

        Args:
            prefix: Ends in ``/``, or is empty for the top.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when there is none.

        A bucket with versions keeps what it held: see `purge`.
        """
        ...

    def purge(self, place: str, *, keep_latest: bool = False) -> Purged:
        """Remove an object, or all objects of a folder, with every version and delete marker.

        What others write there meanwhile is removed, too, or left whole. An interrupted purge is
        completed by the next.

        Args:
            place: A key, or a folder (it ends in ``/``); never the whole store.
            keep_latest: Remove only what is no longer read: old versions, and the markers of
                objects that were deleted.

        Raises:
            StoreError: The store holds on to something (object lock, credentials).
            StoreUnavailableError: Others wrote there all the time.
        """
        ...


def check_key(key: str) -> str:
    """Return `key` when it is one that every store can hold.

    Raises:
        ValueError: Characters other than ``[A-Za-z0-9._=-]``, a part that is empty, ``.``, ``..``
            or over 255 characters, or over 900 characters in all.
    """
    parts = key.split("/")
    if not _KEY.fullmatch(key) or "." in parts or ".." in parts:
        msg = f"{key!r} is not a key: parts of letters, digits, '.', '_', '=', '-' between '/'"
        raise ValueError(msg)
    if len(key) > 900 or max(map(len, parts)) > 255:
        msg = f"{key[:60]!r}… is too long for a key: at most 255 characters a part, 900 in all"
        raise ValueError(msg)
    return key


def check_prefix(prefix: str) -> str:
    """Return `prefix` when keys can start with it: empty, or a key, or a key and ``/``.

    Raises:
        ValueError: No key starts like that.
    """
    if prefix:
        check_key(prefix.removesuffix("/"))
    return prefix


def check_place(place: str) -> str:
    """Return `place` when it is a key, or a folder other than the top.

    Raises:
        ValueError: It is neither.
    """
    check_key(place.removesuffix("/"))
    return place


def check_folder(prefix: str) -> str:
    """Return `prefix` when it is a folder: empty, or a key and ``/``.

    Raises:
        ValueError: It is not.
    """
    if prefix and not prefix.endswith("/"):
        msg = f"{prefix!r} is not a folder: it must end in '/'"
        raise ValueError(msg)
    return check_prefix(prefix)
