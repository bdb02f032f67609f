"""How a tenant's rows become chunks: by month, small months together.

Each file costs a store a request and Parquet a millisecond, whether it holds ten rows or ten
thousand; so a month that is small shares its chunk with its neighbours.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenantry.columns import EVENT_TIME
from tenantry.digests import sha256
from tenantry.manifests import Chunk
from tenantry.parquet import to_parquets

AT_MOST = 4_096
"""Rows of a chunk of several months."""


def make_chunks(rows: pd.DataFrame, at_most: int = AT_MOST) -> Iterator[tuple[Chunk, bytes]]:
    """Yield rows as chunks: a record and its bytes each.

    From the oldest month on, a chunk takes the next month until it would hold more than `at_most`
    rows. A month of more is a chunk by itself.

    Args:
        rows: A rows frame (see `tenantry.columns`), sorted by event time.
        at_most: Rows of a chunk of several months.
    """
    times = _times(rows)
    starts = _starts(times, at_most)
    pieces = to_parquets(rows, starts)
    for (start, end), content in zip(pairwise((*starts, len(rows))), pieces, strict=True):
        named = _name(*times[[start, end - 1]].astype("datetime64[M]"))
        yield Chunk(month=named, sha256=sha256(content), rows=end - start), content


class Chunker:
    """Makes chunks of rows that come part by part: those that `make_chunks` makes of all at once.

    The last months wait for the next part, where one of its months may share their chunk.

    Args:
        at_most: Rows of a chunk of several months, and at most as many wait.
    """

    def __init__(self, at_most: int = AT_MOST) -> None:
        self._at_most = at_most
        self._waiting: list[pd.DataFrame] = []

    def add(self, rows: pd.DataFrame) -> list[tuple[Chunk, bytes]]:
        """Add rows and return the chunks that no later row can join.

        Args:
            rows: Of whole months, later than those of all rows before; sorted by event time.
        """
        starts = _starts(_times(rows), self._at_most, sum(map(len, self._waiting)))
        if not starts:
            self._waiting.append(rows.copy())
            return []
        made = []
        if self._waiting:
            self._waiting.append(rows.iloc[: starts[0]])
            made += self.finish()
        is_full = len(rows) - starts[-1] > self._at_most
        end = len(rows) if is_full else starts[-1]
        made += make_chunks(rows.iloc[starts[0] : end], self._at_most)
        self._waiting = [rows.iloc[end:].copy()]  # a copy lets go of the other rows
        return made

    def finish(self) -> list[tuple[Chunk, bytes]]:
        """Return the chunk of the rows that wait; none where none do."""
        waiting, self._waiting = self._waiting, []
        return [*make_chunks(pd.concat(waiting), self._at_most)] if waiting else []


def _times(rows: pd.DataFrame) -> NDArray[np.datetime64]:
    return rows[EVENT_TIME].to_numpy("datetime64[us]")


def _starts(times: NDArray[np.datetime64], at_most: int, waiting: int = 0) -> list[int]:
    """Return the first row of each chunk that begins among rows, of which earlier ones wait."""
    starts, held = [], waiting
    for start, end in pairwise((*_month_starts(times), len(times))):
        if not held or held + end - start > at_most:
            starts.append(start)
            held = 0
        held += end - start
    return starts


def _month_starts(times: NDArray[np.datetime64]) -> list[int]:
    """Return the first row of each month, of rows sorted by time."""
    if not len(times):
        return []
    first, last = times[[0, -1]].astype("datetime64[M]")
    later = np.arange(first + 1, last + 1).astype(times.dtype)
    return [int(start) for start in np.unique([0, *np.searchsorted(times, later)])]


def _name(first: np.datetime64, last: np.datetime64) -> str:
    return str(first) if first == last else f"{first}/{last}"
