"""Files that are whole or not there: drafts, locks, moves; what `FolderStore` is made of."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_LINK_TRIES = 100


def read_file(path: Path) -> bytes:
    """Return what a file holds; a link in its place is an error, not followed."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, "rb", buffering=0) as file:
        return file.readall()


def link(draft: Path, path: Path) -> None:
    """Give a draft its place, where nothing may be yet; make the folder that this needs.

    A folder that a delete takes away meanwhile is made again.

    Raises:
        FileExistsError: Something is there.
    """
    for _ in range(_LINK_TRIES):
        try:
            return os.link(draft, path)
        except FileNotFoundError:
            with suppress(FileNotFoundError, FileExistsError):
                path.parent.mkdir(parents=True, exist_ok=True)
    return os.link(draft, path)


def replace(draft: Path, path: Path) -> None:
    """Give a draft its place, whatever is there.

    A file that a delete takes away meanwhile counts as none.
    """
    for _ in range(_LINK_TRIES):
        try:
            return link(draft, path)
        except FileExistsError:
            with suppress(FileNotFoundError), locked(path):
                draft.replace(path)
                return None
    return link(draft, path)


def flush_folder(path: Path) -> None:
    """Bring the name of the file at `path` to the disk, as `os.fsync` did with its content.

    Where a delete has taken file and folder away meanwhile, there is nothing to bring.
    """
    try:
        handle = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass
class Drafts:
    """A private folder for what is being written.

    Attributes:
        folder: Its path, on the file system of the store; made when first needed.
    """

    folder: Path
    _is_swept: bool = field(default=False, repr=False)

    @contextmanager
    def draft(self, content: bytes) -> Iterator[Path]:
        """Bring `content` to the disk in a file of its own; its name is gone at the end.

        Only then may it be given its place, else a power cut could leave an empty object.
        """
        path, handle = self._open()
        try:
            with os.fdopen(handle, "wb", closefd=False) as file:
                file.write(content)
                file.flush()
                os.fsync(handle)
            yield path
        finally:
            path.unlink(missing_ok=True)
            _let_go(handle)

    def clear(self) -> None:
        """Remove the drafts of killed writers; a living writer holds the lock of its draft."""
        for path in self.folder.glob("*.draft"):
            with suppress(FileNotFoundError, BlockingIOError, PermissionError):
                handle = _lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
                try:
                    path.unlink()
                finally:
                    _let_go(handle)

    def _open(self) -> tuple[Path, int]:
        """Make a draft and take its lock."""
        if not self._is_swept:
            self.clear()
            self._is_swept = True
        while True:
            path = self.folder / f"{secrets.token_hex(12)}.draft"
            handle = self._create(path)
            fcntl.flock(handle, fcntl.LOCK_EX)
            if _is_at(handle, path):
                return path, handle
            os.close(handle)  # `clear` came between

    def _create(self, path: Path) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            return os.open(path, flags, 0o666)
        except FileNotFoundError:
            self.folder.mkdir(parents=True, exist_ok=True)
            return os.open(path, flags, 0o666)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of the file at `path` against threads and processes.

    The lock is the file's own: whoever waited for one that was replaced meanwhile starts again
    with the new one, and nothing is left behind, whatever kills the holder.

    Raises:
        FileNotFoundError: There is no such file, or none any more.
    """
    handle = _lock(path)
    while not _is_at(handle, path):
        os.close(handle)
        handle = _lock(path)
    try:
        yield
    finally:
        _let_go(handle)


def _let_go(handle: int) -> None:
    # closing alone would leave the lock to a child that was forked meanwhile
    fcntl.flock(handle, fcntl.LOCK_UN)
    os.close(handle)


def _lock(path: Path, how: int = fcntl.LOCK_EX) -> int:
    # NFS grants an exclusive lock only to those who may write
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, how)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _is_at(handle: int, path: Path) -> bool:
    """Tell whether an open file is still the one at `path`."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
