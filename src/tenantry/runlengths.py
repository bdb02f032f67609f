"""Run-length codes of windows and moments: what comes at a steady pace takes a few numbers.

Times are whole seconds since 1970. A run is a list of integers; the runs of equal sets are equal.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

from tenantry.times import Window

T = TypeVar("T")
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
    return _joined(_moments_in(*run) for run in runs)


def pack_windows(windows: Iterable[Window]) -> list[list[int]]:
    """Code windows as runs of start, length and count, each window where the last one ends."""
    return [run[:3] for run in pack_timed((*span(one), 0) for one in windows)]


def unpack_windows(runs: Sequence[Sequence[int]]) -> frozenset[Window]:
    """Read what `pack_windows` coded."""
    return _joined(_windows_in(*run) for run in runs)


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


def unpack_timed(
    runs: Sequence[Sequence[int]],
) -> Iterator[tuple[Sequence[Window], Sequence[datetime]]]:
    """Yield what `pack_timed` coded: windows, each once, and the moment of each."""
    for start, length, count, at, step in runs:
        yield _windows_of(start, length, count), _moments_of(at, step, count)


# What tenants share is made once: most were looked at in the same runs.


@lru_cache(maxsize=1 << 12)
def _windows_of(start: int, length: int, count: int) -> tuple[Window, ...]:
    return tuple(window(start + n * length, length) for n in range(count))


@lru_cache(maxsize=1 << 12)
def _moments_of(first: int, step: int, count: int) -> tuple[datetime, ...]:
    return tuple(moment(first + n * step) for n in range(count))


@lru_cache(maxsize=1 << 12)
def _windows_in(start: int, length: int, count: int) -> frozenset[Window]:
    return frozenset(_windows_of(start, length, count))


@lru_cache(maxsize=1 << 12)
def _moments_in(first: int, step: int, count: int) -> frozenset[datetime]:
    return frozenset(_moments_of(first, step, count))


def _joined(parts: Iterable[frozenset[T]]) -> frozenset[T]:
    found = list(parts)
    return found[0] if len(found) == 1 else frozenset().union(*found)
