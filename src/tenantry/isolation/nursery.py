"""The nursery: a process that holds no secret, from which the workers of tenants are forked.

A fork inherits its parent's memory and environment, and whoever works for a shard holds the run's
credentials. So the shard starts a nursery, a new program with an environment of names that are
listed here; it imports what the stage needs and forks workers. A worker talks to the shard over a
pipe of its own, which the nursery passes on unread: what the shard says there (a tenant's spec, its
credentials, its connections) reaches that worker's memory only.

A worker is for one tenant only where `works_alone` says so. Elsewhere it goes on with the next one,
and can load no recipe of others.

Neither nursery nor workers can be read or traced by processes of the same user, root aside; nor can
they read who started the task, whose environment holds the run's credentials, or the pod's tokens,
where the kernel has Landlock. Where they can the log says so, and the report.
"""

import contextlib
import ctypes
import gc
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.reduction import recv_handle, send_handle

from threadpoolctl import threadpool_limits

from tenantry.cpu import own_seconds
from tenantry.imports import import_late, import_stage, limit_threads
from tenantry.isolation.forks import Forked
from tenantry.isolation.sandbox import leave_others, sees_others
from tenantry.log import configure_logging, log_fault
from tenantry.models.shared import SharedFile, open_shared
from tenantry.settings import Isolation, recipes_file
from tenantry.specs.model import Spec

LOG = logging.getLogger("tenantry.isolation.nursery")  # it runs as __main__

KEPT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"),
    *("PYTHONPATH", "PYTHONHOME", "PYTHONHASHSEED", "PYTHONWARNINGS", "VIRTUAL_ENV"),
    *("LD_LIBRARY_PATH", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    "MIMALLOC_ARENA_EAGER_COMMIT",
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),
)
"""Environment variables that reach a worker; no other does, but for `RECIPES`."""

RECIPES = "TENANTRY_RECIPES"
"""Names the list of recipes of others; only workers for one tenant are told."""

_KNOW_MODELS = ("train", "promote", "predict", "monitor")
"""The stages that fit models or open their files: others load nothing of others' code."""

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4


def clean_environment(
    environ: Mapping[str, str] = os.environ, *, alone: bool = False
) -> dict[str, str]:
    """Return what a worker may see of the environment.

    Args:
        environ: The environment.
        alone: Whether it is for one tenant only.
    """
    kept = (*KEPT, RECIPES) if alone else KEPT
    return {name: environ[name] for name in kept if name in environ}


def works_alone(stage: str, isolation: Isolation) -> bool:
    """Say whether each tenant has a process of its own: code of others may run, or it is asked for.

    Args:
        stage: The stage.
        isolation: As the settings say.
    """
    return isolation == "process" or (stage in _KNOW_MODELS and recipes_file() is not None)


def hide_memory() -> None:
    """Keep other processes of this user out of this one's memory and environment, and its forks'.

    Root with `CAP_SYS_PTRACE` still gets in. See ``prctl(2)``, ``PR_SET_DUMPABLE``.
    """
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


class Nursery:
    """The shard's end: starts the nursery, asks it for workers, and how they ended.

    Args:
        stage: The stage that they are for.
        specs: Of its tenants.
        shared: Pooled models that they use.
        alone: Whether each worker is for one tenant only.
    """

    def __init__(
        self,
        stage: str,
        specs: Sequence[Spec],
        shared: Sequence[SharedFile] = (),
        *,
        alone: bool = False,
    ) -> None:
        self.alone = alone
        hide_memory()
        self._pipe, theirs = Pipe()
        handle = theirs.fileno()
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "tenantry.isolation.nursery", str(handle)],
            pass_fds=[handle],
            env=clean_environment(alone=alone),
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        self._pipe.send((stage, list(specs), list(shared), alone))

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        self._process.wait()

    def fork(self) -> tuple[Forked, Connection]:
        """Return a new worker and this end of its pipe.

        Raises:
            RuntimeError: The nursery is dead.
        """
        ours, theirs = Pipe()
        pid = self._ask("fork", handle=theirs.fileno())
        theirs.close()
        return _Nursling(self, pid), ours

    def import_seconds(self) -> float:
        """Return the CPU-seconds that the nursery took to start and to import.

        Raises:
            RuntimeError: The nursery is dead.
        """
        return self._ask("imports") / 1000

    def wait(self, pid: int, timeout: float | None) -> int | None:
        """Return how a worker ended, negative for a signal; None when it has not by then."""
        code = self._ask("wait", pid, timeout)
        return None if code == _RUNNING else code

    def _ask(self, *command: object, handle: int | None = None) -> int:
        try:
            self._pipe.send(command)
            if handle is not None:
                send_handle(self._pipe, handle, self._process.pid)
            return int(json.loads(self._pipe.recv_bytes(64)))
        except (OSError, EOFError) as error:
            msg = f"the nursery of workers has ended with code {self._process.poll()}"
            raise RuntimeError(msg) from error


class _Nursling:
    """A worker as `tenantry.workers` handles it."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery, self._pid = nursery, pid
        self.exitcode: int | None = None

    def join(self, timeout: float | None = None) -> None:
        if self.exitcode is None:
            self.exitcode = self._nursery.wait(self._pid, timeout)

    def is_alive(self) -> bool:
        self.join(0)
        return self.exitcode is None

    def kill(self) -> None:
        if self.exitcode is None:  # until it is waited for, nobody else gets its number
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)


_RUNNING = 1 << 16


def serve(handle: int) -> None:
    """Be the nursery: import what the stage needs, then fork whenever the shard asks for it."""
    _die_with_parent()
    hide_memory()
    configure_logging()
    limit_threads()
    leave_others()
    if sees_others():
        LOG.warning(
            "workers can read the environment of other processes: run as another user than root, on"
            " a kernel with Landlock (see docs/security.md)"
        )
    pipe = Connection(handle)
    try:
        known = _prepare(*pipe.recv())
        import_module("tenantry.store.minio")
        import_late()
        _rehearse()
        threadpool_limits(1)
        imports = round(own_seconds() * 1000)
        gc.freeze()  # workers share what is imported by now, instead of copying it page by page
        while True:
            command, *arguments = pipe.recv()
            if command == "imports":
                answer: int | None = imports
            else:
                answer = _fork(pipe, known) if command == "fork" else _wait(*arguments)
            pipe.send_bytes(json.dumps(answer).encode())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _prepare(
    stage: str, specs: list[Spec], shared: list[SharedFile], alone: bool
) -> dict[str, Spec]:
    """Import and open what workers need; return the specs that they may know."""
    import_stage(stage, specs)
    if shared:
        open_shared(shared, stage, len(specs))
    return {} if alone else {spec.tenant: spec for spec in specs}


def _rehearse() -> None:
    """Do once what each worker would do for the first time, where the stage works on tables."""
    if "pandas" in sys.modules:
        from tenantry.rehearsal import rehearse_tables

        rehearse_tables()


def _fork(pipe: Connection, known: dict[str, Spec]) -> int:
    from tenantry.job_runner import run_assignment
    from tenantry.workers import serve_assignments

    handle = recv_handle(pipe)
    pid = os.fork()
    if pid:
        os.close(handle)
        return pid
    code = 1
    try:
        _die_with_parent()
        leave_others()
        pipe.close()
        serve_assignments(Connection(handle), partial(run_assignment, specs=known))
        code = 0
    except Exception as error:
        log_fault(LOG, error, "a worker")
    finally:
        sys.stderr.flush()
        os._exit(code)


def _wait(pid: int, timeout: float | None) -> int:
    if timeout is None:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    deadline = time.monotonic() + timeout
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= deadline:
            return _RUNNING
        time.sleep(0.005)


def _die_with_parent() -> None:
    """Be killed when the parent ends, however it does; see ``prctl(2)``, ``PR_SET_PDEATHSIG``."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
    os._exit(0)  # or the interpreter takes apart all that was imported, and ends
