"""A process that cannot look into others of its user: Landlock, of Linux 5.13 and later.

Who starts a task (Kubeflow's launcher, a shell) has the same user and the same environment, with
the run's credentials in it, and lets it be read through ``/proc``. A process in a Landlock domain
reads and traces only processes of that domain, and since Linux 6.12 signals no others. Files are
reached as before. See ``landlock(7)``; the numbers are those of the kernel.
"""

import ctypes
import os
import struct
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_MAKE_CHAR, _REFER = 1 << 6, 1 << 13
"""A domain has to handle something: device files, which nobody makes. Moves between folders are
denied by every domain that does not allow them."""
_SCOPED_SOCKETS, _SCOPED_SIGNALS = 1 << 0, 1 << 1
_PR_SET_NO_NEW_PRIVS = 38


def leave_others() -> bool:
    """Enter a new domain, for good, and with all children; say whether the kernel can.

    A process that is in one already enters another within it, and so leaves its siblings.
    """
    libc = ctypes.CDLL(None)
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        return False
    handled = _MAKE_CHAR | (_REFER if version >= 2 else 0)
    scoped = _SCOPED_SOCKETS | _SCOPED_SIGNALS
    rules = struct.pack("=Q", handled)
    if version >= 6:
        rules = struct.pack("=QQQ", handled, 0, scoped)
    ruleset = libc.syscall(_CREATE_RULESET, rules, ctypes.c_size_t(len(rules)), 0)
    if ruleset < 0:
        return False
    root = os.open("/", os.O_PATH | os.O_CLOEXEC)
    try:
        if version >= 2:
            moves = struct.pack("=Qi", _REFER, root)
            libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, moves, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(root)
        os.close(ruleset)


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
