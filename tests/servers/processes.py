"""Start a server, wait until it answers, stop it by its id, and keep what it said."""

import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server that runs while a `with` block does; it may be stopped and started again meanwhile.

    Args:
        command: What to start.
        is_ready: Whether it answers.
        log: Where its output goes; its end is in the error when the server does not come up.
        env: Its whole environment.
        user: Whom to run it as, when root.
        seconds: How long to wait for it.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        is_ready: Callable[[], bool],
        log: Path,
        env: Mapping[str, str],
        user: str | None = None,
        seconds: float = 60,
    ) -> None:
        self._command, self._env, self._user = command, env, user
        self._is_ready, self._log, self._seconds = is_ready, log, seconds
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process that was started last."""
        assert self._process
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            RuntimeError: It does not come up.
        """
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self._env,
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
            )
        _wait(self._process, self._is_ready, self._log, self._seconds)

    def wait(self) -> None:
        """Wait until it has ended, whoever stops it."""
        assert self._process
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end, and wait; end it by force when it does not."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


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
