"""A real `tenantry serve` over a store."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ServingProcess:
    """A server that runs.

    Attributes:
        url: Where it answers.
        process: Its process; its standard error, and output where it is piped, are open.
    """

    url: str
    process: "subprocess.Popen[bytes]"

    @property
    def resident(self) -> int:
        """Bytes of memory that it holds (Linux only)."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def serving_running(
    store: str, folder: Path, *options: str, log: bool = False
) -> Iterator[ServingProcess]:
    """Run a server on any free port until the end.

    Args:
        store: The store's address.
        folder: For its cache.
        options: Of the command.
        log: Whether its standard output is piped, for who reads the access log.
    """
    environ = os.environ | {"TENANTRY_STORE": store, "XDG_CACHE_HOME": str(folder / "cache")}
    command = [sys.executable, "-m", "tenantry", "serve", "--port", "0", *options]
    output = subprocess.PIPE if log else subprocess.DEVNULL
    with subprocess.Popen(
        command, env=environ, stdout=output, stderr=subprocess.PIPE, text=False
    ) as process:
        try:
            yield ServingProcess(_address(process), process)
        finally:
            process.kill()


def _address(process: "subprocess.Popen[bytes]") -> str:
    if process.stderr is None:
        msg = "its standard error is not piped"
        raise ValueError(msg)
    for line in process.stderr:
        if b"answering at " in line:
            return str(json.loads(line)["message"]).removeprefix("answering at ")
    msg = f"the server ended with {process.wait()}"
    raise RuntimeError(msg)
