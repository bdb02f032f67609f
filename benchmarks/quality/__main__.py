"""Measure what the models are worth, part by part; exit with 1 when a promise is not kept.

Everything is made by the library's own functions from the shipped specs. No model sees its test,
but people who run this while they tune do: `docs/models.md` says how often that happened.
"""

import argparse
import sys
import time
from collections.abc import Callable
from functools import cache
from importlib import import_module

from rich.console import Console
from threadpoolctl import threadpool_limits

from benchmarks.quality.fleet import History, load_history

PARTS = {
    "test": "quarter",
    "months": "months",
    "newborn": "newborn",
    "routes": "routes",
    "nosignal": "nosignal",
}
"""Part → its module."""
WIDTH = 160
"""Columns of the tables where nobody watches: in a file, a narrow table says nothing."""


def main() -> int:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; or all")
    parts = parser.parse_args().parts or list(PARTS)
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    history = cache(load_history)
    kept = []
    with threadpool_limits(1):
        for part in parts:
            console.rule(part)
            start = time.process_time()
            run: Callable[[Callable[[], History], Console], bool]
            run = import_module(f"benchmarks.quality.{PARTS[part]}").run
            kept.append(run(history, console))
            console.print(f"{part}: {time.process_time() - start:.0f} CPU-s")
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
