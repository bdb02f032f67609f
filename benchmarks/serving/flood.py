"""Others' latency beside one tenant that floods; the flood comes from a process of its own."""

import asyncio
import json
import os
import subprocess
import sys
from typing import NamedTuple

from benchmarks.serving.asks import ask_of, ask_openly
from benchmarks.serving.load import OpenLoad
from benchmarks.serving.processes import Measured

_OTHERS = [ask_of(number) for number in range(1, 200)]
_RATE = 300


class Pair(NamedTuple):
    """What the others found, first without the flood and then beside it.

    Attributes:
        quiet: Their p99 without it, milliseconds.
        flooded: Beside it.
        failed: Their requests that failed.
        refused: Share of the flood's requests that were refused.
    """

    quiet: float
    flooded: float
    failed: int
    refused: float


def compare(server: Measured, rate: float, seconds: int) -> Pair:
    """Ask as all others do, for so many seconds without and with a flood of the first tenant.

    Who measures has the right of way on its core before who floods, so that what the clients take
    from each other is not taken for the server's.
    """
    quiet = ask_openly(server, _OTHERS, rate=_RATE, seconds=seconds)
    command = [sys.executable, "-m", "benchmarks.serving.flood", str(server.port), str(rate),
               str(seconds + 2)]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE) as flood:  # noqa: S603 - our own
        if flood.stdout is None:
            raise RuntimeError
        flood.stdout.readline()  # it has begun
        flooded = ask_openly(server, _OTHERS, rate=_RATE, seconds=seconds)
        statuses = json.loads(flood.stdout.readline())
    refused = statuses.get("429", 0) / sum(statuses.values())
    failed = quiet.failed + flooded.failed
    return Pair(quiet.quantile(0.99), flooded.quantile(0.99), failed, refused)


def main() -> None:
    """Flood, and tell the statuses of the answers."""
    port, rate, seconds = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    os.nice(10)
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    found = asyncio.run(OpenLoad(port, [ask_of(0)], rate=rate, seed=2).run(seconds))
    sys.stdout.write(json.dumps(found.statuses) + "\n")


if __name__ == "__main__":
    main()
