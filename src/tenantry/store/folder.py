"""A folder as an object store: the embedded default, with the contract of S3 and no server.

A new object is written aside and linked into place, a replaced one is renamed into place, so a
reader sees a whole object or none. Whatever replaces or removes an object does so under the lock
of its file; nothing else needs one, for linking is exclusive by itself.

The private folder ``.~`` holds what is being written. No key can name it (``~`` is in none), no
listing shows it, and its files go when the write ends.
`docs/decisions/0002-conditional-writes.md` tells what survives a crash and a power cut.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from tenantry.digests import sha256
from tenantry.errors import (
    ObjectMissingError,
    PreconditionError,
    StoreError,
    StoreUnavailableError,
)
from tenantry.store.contract import (
    ObjectInfo,
    StoredObject,
    check_folder,
    check_key,
    check_place,
    check_prefix,
)
from tenantry.store.drafts import Drafts, flush_folder, link, locked, read_file, replace
from tenantry.store.mounts import file_system
from tenantry.store.purged import Purged, purge_all

_PRIVATE = ".~"
_ABSENT = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_NO_LINKS = "use a file system that has hard links, or a bucket"
_TWO_ROLES = "a key cannot be the folder of other keys as well"
_REMEDIES = {
    errno.EACCES: "let this user read and write there",
    errno.EPERM: _NO_LINKS,
    errno.EOPNOTSUPP: _NO_LINKS,
    errno.EMLINK: _NO_LINKS,
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EROFS: "mount it for writing",
    errno.EISDIR: _TWO_ROLES,
    errno.EEXIST: _TWO_ROLES,
    errno.ENOTDIR: _TWO_ROLES,
    errno.ENOTEMPTY: _TWO_ROLES,
    errno.ELOOP: "remove the symbolic link",
}


class FolderStore:
    """Keys are paths below a folder; a tag is the SHA-256 of the content.

    Keeps the contract of `ObjectStore`. A missing folder is an empty store; the first write makes
    it. Symbolic links below the root are never followed. Safe for threads and processes, and for
    hosts that share the folder when the mount locks and does not cache names.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = Path(os.path.realpath(root))
        self._drafts = Drafts(self._root / _PRIVATE)

    def __repr__(self) -> str:
        return f"FolderStore({str(self._root)!r})"

    @property
    def url(self) -> str:
        """The folder as a ``file://`` address."""
        return self._root.as_uri()

    def identify(self) -> str:
        """Tell the folder's file system: its kind, and what was mounted."""
        return f"folder on {file_system(self._root)}"

    def get(self, key: str) -> StoredObject:
        """Read an object.

        Raises:
            ObjectMissingError: Nothing has that key.
        """
        path = self._path(key)
        with _reading(path):
            content = read_file(path)
        return StoredObject(content, sha256(content))

    def find(self, key: str) -> ObjectInfo | None:
        """Return what is known of an object, or None when nothing has that key."""
        path = self._path(key)
        try:
            with _reading(path):
                return _info(key, str(path), path.lstat())
        except ObjectMissingError:
            return None

    def put(self, key: str, content: bytes) -> str:
        """Write an object whatever was there; return its tag."""
        path = self._path(key)
        with _writing(path), self._drafts.draft(content) as draft:
            replace(draft, path)
        return sha256(content)

    def put_if_absent(self, key: str, content: bytes) -> str:
        """Write an object that must not exist yet; return its tag.

        Raises:
            PreconditionError: The key exists.
        """
        path = self._path(key)
        with _writing(path):
            if path.is_file():
                raise _exists(path)
            with self._drafts.draft(content) as draft:
                try:
                    link(draft, path)
                except FileExistsError:
                    if path.is_dir():
                        raise
                    raise _exists(path) from None
            flush_folder(path)
        return sha256(content)

    def put_if_match(self, key: str, content: bytes, tag: str) -> str:
        """Replace an object that must still have `tag`; return the new tag.

        Raises:
            PreconditionError: The object has another tag or is gone.
        """
        path = self._path(key)
        _refuse_other(path, tag)
        with _writing(path), self._drafts.draft(content) as draft:
            with _refusing_absent(path), locked(path):
                _refuse_other(path, tag)
                draft.replace(path)
            flush_folder(path)
        return sha256(content)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Yield every object whose key starts with `prefix`, by key."""
        folder, slash, start = check_prefix(prefix).rpartition("/")
        if folder:
            self._path(folder)
        yield from self._walk(folder + slash, start)

    def list_folders(self, prefix: str) -> Iterator[str]:
        """Yield the names of the folders directly below `prefix`, by name."""
        if check_folder(prefix):
            self._path(prefix[:-1])
        entries = self._entries(prefix)
        for name in sorted(entry.name for entry in entries if _is_folder(entry)):
            if any(True for _ in self._walk(f"{prefix}{name}/", "")):
                yield name

    def delete(self, key: str) -> None:
        """Remove an object and the folders that it leaves empty."""
        path = self._path(key)
        if not path.is_file():
            return
        with _writing(path), suppress(FileNotFoundError), locked(path):
            path.unlink()
        with suppress(OSError):
            while (path := path.parent) != self._root:
                path.rmdir()

    def purge(self, place: str, *, keep_latest: bool = False) -> Purged:
        """Remove an object or all of a folder, and what killed writers left of any object."""
        self._drafts.clear()
        is_folder = check_place(place).endswith("/")

        def remove_found() -> Purged:
            infos = list(self.list(place)) if is_folder else filter(None, [self.find(place)])
            sizes = {info.key: info.size for info in infos if not keep_latest}
            for key in sizes:
                self.delete(key)
            return Purged(tuple(sizes), len(sizes), sum(sizes.values()))

        return purge_all(remove_found, f"{self._root}/{place}")

    def _path(self, key: str) -> Path:
        """Return the file of a key; it lies below the root, whatever links were planted there."""
        path = str(self._root)
        for part in check_key(key).split("/"):
            path = f"{path}/{part}"
            if os.path.islink(path):  # noqa: PTH114 - a `Path` of each costs more than to look
                msg = f"{path}: a symbolic link is on the way; a store follows none: remove it"
                raise StoreError(msg)
        return Path(path)

    def _walk(self, folder: str, start: str) -> Iterator[ObjectInfo]:
        """Yield the objects below `folder` (empty, or ends in ``/``) whose names start so."""
        entries = (entry for entry in self._entries(folder) if entry.name.startswith(start))
        for entry in sorted(entries, key=_rank):
            if _is_folder(entry):
                yield from self._walk(f"{folder}{entry.name}/", "")
                continue
            info = None
            with suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                info = _info(folder + entry.name, entry.path, status)
            if info:
                yield info

    def _entries(self, folder: str) -> "tuple[os.DirEntry[str], ...]":
        path = self._root / folder
        try:
            with _reading(path), os.scandir(path) as entries:
                return tuple(entry for entry in entries if entry.name != _PRIVATE)
        except ObjectMissingError:
            return ()


class _FileInfo(ObjectInfo):
    """A file's info; its tag is made when asked for, because that reads the whole file."""

    def __getattr__(self, name: str) -> str:
        if name != "tag":
            raise AttributeError(name)
        path = Path(vars(self)["path"])
        with _reading(path):
            tag = sha256(read_file(path))
        vars(self)["tag"] = tag
        return tag


def _info(key: str, path: str, status: os.stat_result) -> _FileInfo | None:
    if not stat.S_ISREG(status.st_mode):
        return None
    info = object.__new__(_FileInfo)
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    vars(info).update(key=key, size=status.st_size, modified=modified, path=path)
    return info


def _rank(entry: "os.DirEntry[str]") -> str:
    """Order a folder where its keys belong: ``a-b`` < ``a/x`` < ``a0``."""
    return f"{entry.name}/" if _is_folder(entry) else entry.name


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    return entry.is_dir(follow_symlinks=False)


def _refuse_other(path: Path, tag: str) -> None:
    with _refusing_absent(path), _reading(path):
        found = sha256(read_file(path))
    if found != tag:
        msg = f"{path}: has changed since it was read; read it again before you replace it"
        raise PreconditionError(msg)


@contextmanager
def _refusing_absent(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, ObjectMissingError):
        msg = f"{path}: is gone since it was read; read it again before you replace it"
        raise PreconditionError(msg) from None


def _exists(path: Path) -> PreconditionError:
    return PreconditionError(f"{path}: exists already")


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except _ABSENT:
        msg = f"{path}: no such object"
        raise ObjectMissingError(msg) from None
    except OSError as error:
        raise _fault(path, error) from error


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _fault(path, error) from error


def _fault(path: Path, error: OSError) -> StoreError:
    remedy = _REMEDIES.get(error.errno or 0)
    reason = error.strerror or type(error).__name__
    if remedy is None:
        return StoreUnavailableError(f"{path}: {reason}")
    return StoreError(f"{path}: {reason}; {remedy}")
