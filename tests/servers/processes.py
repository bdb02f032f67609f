"""Start a server, wait until it answers, stop it by its id, and keep what it said."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str],
    *,
    is_ready: Callable[[], bool],
    log: Path,
    env: Mapping[str, str],
    user: str | None = None,
    seconds: float = 60,
) -> Iterator[None]:
    """Run a server while the block runs.

    Args:
        command: What to start.
        is_ready: Whether it answers.
        log: Where its output goes; its end is in the error when the server does not come up.
        env: Its whole environment.
        user: Whom to run it as, when root.
        seconds: How long to wait for it.
    """
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=env,
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )
    try:
        _wait(server, is_ready, log, seconds)
        yield
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(
    server: subprocess.Popen[bytes], is_ready: Callable[[], bool], log: Path, seconds: float
) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        if is_ready():
            return
        time.sleep(0.05)
    state = "is not ready" if server.poll() is None else f"ended with {server.returncode}"
    end = log.read_text(errors="replace")[-3000:]
    msg = f"{server.args!r} {state}; the end of {log}:\n{end}"
    raise RuntimeError(msg)
