"""Specs as a Git revision has them, for comparing them with the working tree's."""

import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenantry.errors import Fault, SpecError

_SECONDS = 60


@contextmanager
def specs_at(folder: Path, revision: str) -> Iterator[Path]:
    """Yield a folder that holds a folder of specs as a revision has it; empty where it had none.

    Args:
        folder: The folder of specs, in the working tree of a Git repository.
        revision: A commit, branch or tag.

    Raises:
        SpecError: There is no Git, no repository or no such revision.
    """
    commit = find_commit(folder, revision)
    files = _git(folder, "ls-tree", "-r", "--name-only", "-z", commit, "--", ".")
    with tempfile.TemporaryDirectory() as place:
        if files.returncode == 0 and files.stdout:
            archive = _git(folder, "archive", "--format=tar", commit, "--", ".")
            if archive.returncode:
                raise _error(revision, "its specs cannot be read from Git")
            with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as content:
                content.extractall(place, filter="data")
        yield Path(place)


def find_commit(folder: Path, revision: str) -> str:
    """Return the commit that a revision names, as 40 digits.

    Raises:
        SpecError: There is no Git, no repository or no such revision.
    """
    if not folder.is_dir():
        raise SpecError([Fault(str(folder), "is no folder", "name the folder of the specs")])
    if _git(folder, "rev-parse", "--git-dir").returncode:
        remedy = "run it in a clone of the repository that holds them"
        raise SpecError([Fault(str(folder), "lies in no Git repository that may be read", remedy)])
    name = f"{revision}^{{commit}}"
    found = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
    if found.returncode:
        raise _error(revision, "there is no such revision here")
    return found.stdout.decode().strip()


def _git(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    program = shutil.which("git")
    if program is None:
        raise SpecError([Fault("git", "is not installed", "revisions are read by it")])
    command = [program, "--no-optional-locks", "-C", str(folder), *arguments]
    return subprocess.run(  # noqa: S603 - our own words, and a revision behind --end-of-options
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=_SECONDS,
    )


def _error(revision: str, fault: str) -> SpecError:
    remedy = "name a commit, branch or tag; a shallow clone lacks most (fetch-depth: 0)"
    return SpecError([Fault(f"revision {revision!r}", fault, remedy)])
