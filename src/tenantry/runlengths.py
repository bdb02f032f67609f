"""Run-length codes of windows and moments: what comes at a steady pace takes a few numbers.

Times are whole seconds since 1970. A run is a list of integers; the runs of equal sets are equal.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from tenantry.times import Window

Timed = tuple[int, int, int]
"""A window and a moment: the window's start and length, and the moment."""


def seconds(moment: datetime) -> int:
    """Return a moment as seconds since 1970."""
    return int(moment.timestamp())


@lru_cache(maxsize=1 << 16)
def moment(at: int) -> datetime:
    """Return the moment `at` seconds since 1970."""
    return datetime.fromtimestamp(at, UTC)


@lru_cache(maxsize=1 << 16)
def window(start: int, length: int) -> Window:
    """Return a window; equal ones are the very same, for tenants share their windows."""
    return Window(moment(start), moment(start + length))


def span(of: Window) -> tuple[int, int]:
    """Return a window's start and length."""
    start = seconds(of.start)
    return start, seconds(of.end) - start


def pack_moments(moments: Iterable[datetime]) -> list[list[int]]:
    """Code moments as runs of first, step and count."""
    runs: list[list[int]] = []
    for at in sorted(map(seconds, moments)):
        run = runs[-1] if runs else None
        if run and run[2] == 1:
            run[1:] = [at - run[0], 2]
        elif run and at == run[0] + run[1] * run[2]:
            run[2] += 1
        else:
            runs.append([at, 0, 1])
    return runs


def unpack_moments(runs: Sequence[Sequence[int]]) -> frozenset[datetime]:
    """Read what `pack_moments` coded."""
    return frozenset(moment(first + n * step) for first, step, count in runs for n in range(count))


def pack_windows(windows: Iterable[Window]) -> list[list[int]]:
    """Code windows as runs of start, length and count, each window where the last one ends."""
    return [run[:3] for run in pack_timed((*span(one), 0) for one in windows)]


def unpack_windows(runs: Sequence[Sequence[int]]) -> frozenset[Window]:
    """Read what `pack_windows` coded."""
    return frozenset(
        window(start + n * length, length) for start, length, count in runs for n in range(count)
    )


def pack_timed(items: Iterable[Timed]) -> list[list[int]]:
    """Code windows with moments as runs of start, length, count, first moment and its step.

    A window may come with several moments: each goes on in a run of its own.
    """
    runs: list[list[int]] = []
    waiting: dict[tuple[int, int], list[list[int]]] = {}
    for start, length, at in sorted(items):
        candidates = waiting.get((start, length), [])
        run = next((one for one in candidates if _goes_on(one, at)), None)
        if run is None:
            run = [start, length, 0, at, 0]
            runs.append(run)
        else:
            candidates.remove(run)
            run[4] = at - run[3] if run[2] == 1 else run[4]
        run[2] += 1
        waiting.setdefault((start + length, length), []).append(run)
    return runs


def _goes_on(run: Sequence[int], at: int) -> bool:
    return run[2] == 1 or at == run[3] + run[2] * run[4]


def unpack_timed(runs: Sequence[Sequence[int]]) -> Iterator[tuple[Window, datetime]]:
    """Yield what `pack_timed` coded."""
    for start, length, count, at, step in runs:
        for n in range(count):
            yield window(start + n * length, length), moment(at + n * step)
