"""Files that are whole or not there: drafts, moves, locks; what `FolderStore` is made of."""

import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tenantry.digests import sha256

_ABANDONED_SECONDS = 86_400
_MOVE_TRIES = 100


def read_file(path: Path) -> bytes:
    """Return what a file holds; a link in its place is an error, not followed."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, "rb", buffering=0) as file:
        return file.readall()


def move(how: Callable[[Path, Path], None], draft: Path, path: Path) -> None:
    """Link or rename a draft to its place, and make the folder that this needs.

    A folder that a delete takes away meanwhile is made again.
    """
    for _ in range(_MOVE_TRIES):
        try:
            return how(draft, path)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
    return how(draft, path)


def flush_folder(path: Path) -> None:
    """Bring the name of the file at `path` to the disk, as `os.fsync` did with its content."""
    handle = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass
class Drafts:
    """A private folder for what is being written, and for the locks that are held.

    Attributes:
        folder: Its path, on the file system of the store; made when first needed.
    """

    folder: Path
    _is_swept: bool = field(default=False, repr=False)

    @contextmanager
    def draft(self, content: bytes, *, is_commit: bool) -> Iterator[Path]:
        """Write `content` to a file of its own; it is gone at the end, wherever it was moved.

        Args:
            content: The bytes.
            is_commit: Wait until they are on the disk.
        """
        path = self.folder / f"{secrets.token_hex(12)}.draft"
        handle = self._open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                if is_commit:
                    os.fsync(file.fileno())
            yield path
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Hold the lock of a key, against threads and processes.

        The holder removes the lock's file at the end; whoever waited on it starts again with a
        new one. A file that a killed holder left is taken over by the next.
        """
        path = self.folder / f"{sha256(key.encode())[:32]}.lock"
        handle = self._lock(path)
        while not _is_at(handle, path):
            os.close(handle)
            handle = self._lock(path)
        try:
            yield
        finally:
            path.unlink()
            os.close(handle)

    def _lock(self, path: Path) -> int:
        handle = self._open(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except BaseException:
            os.close(handle)
            raise
        return handle

    def _open(self, path: Path, flags: int) -> int:
        if not self._is_swept:
            _sweep(self.folder)
            self._is_swept = True
        try:
            return os.open(path, flags | os.O_CLOEXEC, 0o666)
        except FileNotFoundError:
            self.folder.mkdir(parents=True, exist_ok=True)
            return os.open(path, flags | os.O_CLOEXEC, 0o666)


def _is_at(handle: int, path: Path) -> bool:
    """Tell whether an open file is still the one at `path`."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _sweep(folder: Path) -> None:
    """Remove the drafts that killed processes left more than a day ago."""
    for path in folder.glob("*.draft"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                path.unlink()
