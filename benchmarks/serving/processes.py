"""Servers under measurement: started on a core of their own, and what they spend."""

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.processes import free_port

CORE, OTHER = 0, 1
"""The core that a server has, and that of who asks."""


@dataclass
class Measured:
    """A server that runs.

    Attributes:
        port: Where.
        process: Its process.
        started: CPU seconds until it was ready.
    """

    port: int
    process: subprocess.Popen[bytes]
    started: float = 0.0
    log: Path = field(default=Path())

    @property
    def cpu(self) -> float:
        """CPU seconds that it and its children have spent (Linux only)."""
        return sum(_ticks(pid) for pid in _family(self.process.pid)) / os.sysconf("SC_CLK_TCK")

    @property
    def resident(self) -> int:
        """Bytes of memory that it and its children hold."""
        return sum(_resident(pid) for pid in _family(self.process.pid))


@contextmanager
def running(
    command: Callable[[int], Sequence[str]],
    log: Path,
    *,
    ready: str = "/v2/health/ready",
    environment: Mapping[str, str] | None = None,
    seconds: float = 600.0,
) -> Iterator[Measured]:
    """Run a server on the first core until the end.

    Args:
        command: From a free port to the command.
        log: Where its output goes.
        ready: The path that answers 200 when it is ready.
        environment: Variables beside this process's.
        seconds: In which it must be ready.
    """
    port = free_port()
    environ = os.environ | {"OMP_NUM_THREADS": "1"} | dict(environment or {})
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own command
            ["taskset", "-c", str(CORE), *command(port)],  # noqa: S607 - where the system has it
            stdout=stream, stderr=subprocess.STDOUT, env=environ,
        )  # fmt: skip
    server = Measured(port, process, log=log)
    try:
        _wait(server, ready, seconds)
        server.started = server.cpu
        yield server
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(server: Measured, ready: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if server.process.poll() is not None:
            raise RuntimeError(server.log.read_text()[-2000:])
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{ready}", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    msg = f"{server.log}: not ready in {seconds:g} s"
    raise RuntimeError(msg)


def _family(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        try:
            for listed in Path(f"/proc/{one}/task").glob("*/children"):
                found += [int(child) for child in listed.read_text().split()]
        except OSError:
            continue
    return found


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def _resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
