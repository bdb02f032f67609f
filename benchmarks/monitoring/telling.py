"""Say how far a bench is; each takes minutes."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def told(items: Iterable[T], what: str, number: int) -> Iterator[T]:
    """Yield items and write a line to standard error after each tenth of them."""
    every = max(number // 10, 1)
    for place, item in enumerate(items, start=1):
        yield item
        if place % every == 0 or place == number:
            spent = time.process_time()
            sys.stderr.write(f"{what}: {place} of {number}, {spent:.0f} CPU-s by now\n")
            sys.stderr.flush()
