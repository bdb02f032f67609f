"""A process that cannot look into others of its user: Landlock, of Linux 5.13 and later.

Who starts a task (Kubeflow's launcher, a shell) has the same user and the same environment, with
the run's credentials in it, and lets it be read through ``/proc``. A process in a Landlock domain
reads and traces only processes of that domain, and since Linux 6.12 signals no others. Nor does it
read the pod's tokens. All other files are reached as before. See ``landlock(7)``; the numbers are
those of the kernel.
"""

import ctypes
import os
import struct
from collections.abc import Iterator
from pathlib import Path

TOKENS = Path("/var/run/secrets")
"""Where Kubernetes puts a pod's service account token, with which its API may be asked."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_READ_FILE, _MAKE_CHAR, _REFER = 1 << 2, 1 << 6, 1 << 13
"""A domain has to handle something: device files, which nobody makes. Moves between folders are
denied by every domain that does not allow them."""
_SCOPED_SOCKETS, _SCOPED_SIGNALS = 1 << 0, 1 << 1
_PR_SET_NO_NEW_PRIVS = 38


def keeps_apart() -> bool:
    """Say whether this kernel lets this user's processes leave others: Landlock, and not root."""
    return _version() >= 1 and os.geteuid() != 0


def leave_others(tokens: Path = TOKENS) -> bool:
    """Enter a new domain, for good, and with all children; say whether the kernel can.

    A process that is in one already enters another within it, and so leaves its siblings.

    Args:
        tokens: The folder whose files cannot be read any more, where it exists.
    """
    version, hides = _version(), tokens.exists()
    if version < 1:
        return False
    moves = _REFER if version >= 2 else 0
    handled = _MAKE_CHAR | moves | (_READ_FILE if hides else 0)
    rules = struct.pack("=Q", handled)
    if version >= 6:
        rules = struct.pack("=QQQ", handled, 0, _SCOPED_SOCKETS | _SCOPED_SIGNALS)
    libc = ctypes.CDLL(None)
    ruleset = libc.syscall(_CREATE_RULESET, rules, ctypes.c_size_t(len(rules)), 0)
    if ruleset < 0:
        return False
    try:
        if moves:
            _allow(ruleset, moves, Path("/"))
        for place in _all_but(tokens.resolve()) if hides else ():
            _allow(ruleset, _READ_FILE, place)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _version() -> int:
    """Return the version of the kernel's Landlock; -1 where there is none."""
    return int(ctypes.CDLL(None).syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION))


def _allow(ruleset: int, access: int, place: Path) -> None:
    try:
        handle = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # it is gone, or not ours to reach
    try:
        rule = struct.pack("=Qi", access, handle)
        ctypes.CDLL(None).syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(handle)


def _all_but(hidden: Path) -> Iterator[Path]:
    """Yield what lies beside a folder and beside each that it is in: all files but its own.

    What a link leads to is yielded, or is not, where it lies.
    """
    for folder in hidden.parents:
        try:
            beside = list(folder.iterdir())
        except OSError:
            continue
        kept = {hidden, *hidden.parents}
        yield from (place for place in beside if place not in kept and not place.is_symlink())


def sees_others() -> bool:
    """Say whether the environment of any other process can be read."""
    own = str(os.getpid())
    for path in Path("/proc").glob("[0-9]*/environ"):
        if path.parent.name == own:
            continue
        try:
            with path.open("rb") as environ:
                if environ.read(1):
                    return True
        except OSError:
            continue
    return False
