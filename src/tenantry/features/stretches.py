"""Features of more rows than memory should hold: stretch by stretch, with the past of each.

What a row's features are depends on the rows in its own spans alone, to the last bit, so that the
table is the one that all rows at once would give.
"""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenantry.columns import EVENT_TIME, KNOWN_AT, LABEL_KNOWN_AT, RESERVED
from tenantry.features.recipe import build_features, table_features
from tenantry.features.windows import Integers, moments_of
from tenantry.parquet import ROW_GROUP
from tenantry.snapshots import SnapshotChunks
from tenantry.specs.feature_checks import columns_of
from tenantry.specs.features import CongestionFeature, HistoryFeature
from tenantry.specs.model import Spec

_MANY = 1 << 17
"""Rows from which what tells rows alike is read as categories, which takes a while to set up."""

AT_ONCE = ROW_GROUP
"""Rows of a stretch: a whole row group, so that tables in stretches are the same bytes."""


def build_stretches(
    chunks: SnapshotChunks, spec: Spec, at_once: int = AT_ONCE
) -> Iterator[pd.DataFrame]:
    """Yield a tenant's feature table in stretches; see `recipe.build_features`.

    Memory is proportional to a stretch and what features look back from it; and, 24 bytes a row, to
    the snapshot, whose times say which rows those are.

    Args:
        chunks: The snapshot.
        spec: The tenant's spec.
        at_once: Rows of a stretch.
    """
    features = table_features(spec)
    read = {column for item in features.items() for _, column in columns_of(*item)}
    columns = tuple(dict.fromkeys((*spec.key, *RESERVED, *sorted(read))))
    grouping = _grouping(spec) if chunks.rows >= _MANY else ()
    if chunks.rows <= 2 * at_once:  # looking back for stretches would take as much
        yield build_features(chunks.read(columns, None, grouping), features, spec)
        return
    asked = _Spans(chunks.read((EVENT_TIME, KNOWN_AT, LABEL_KNOWN_AT)), spec)
    for first in range(0, chunks.rows, at_once):
        end = min(first + at_once, chunks.rows)
        needed = asked.needed(first, end)
        before = int(needed[:first].sum())
        asking = slice(before, before + end - first)
        yield build_features(chunks.read(columns, needed, grouping), features, spec, asking)


def _grouping(spec: Spec) -> tuple[str, ...]:
    """Return the columns of text that are read for nothing but to tell rows alike."""
    items = table_features(spec).items()
    uses = [use for item in items for use in columns_of(*item)]
    other = {column for field, column in uses if field != "by"} | {*spec.key}
    texts = {
        name for name, one in spec.contract.columns.items() if one.type in ("category", "text")
    }
    return tuple(sorted({column for _, column in uses} & texts - other))


class _Spans:
    """Which rows the features of others are made of.

    Args:
        times: Of all rows when they happen, are known and have a known label.
        spec: Of whose features.
    """

    def __init__(self, times: pd.DataFrame, spec: Spec) -> None:
        self._happens = moments_of(times[EVENT_TIME])
        self._known = moments_of(times[KNOWN_AT])
        self._learned = moments_of(times[LABEL_KNOWN_AT])
        features = table_features(spec).values()
        self._past = [one.over for one in features if isinstance(one, HistoryFeature)]
        self._near = [one.over for one in features if isinstance(one, CongestionFeature)]

    def needed(self, first: int, end: int) -> NDArray[np.bool_]:
        """Return the rows between two places, and those that their features are made of."""
        needed = np.zeros(len(self._happens), dtype=bool)
        needed[first:end] = True
        for moments, asked, spans in (
            (self._learned, self._known[first:end], self._past),
            (self._happens, self._happens[first:end], self._near),
        ):
            if spans:
                needed |= _between(moments, asked, max(spans))
        return needed


def _between(moments: Integers, asked: Integers, over: timedelta) -> NDArray[np.bool_]:
    low = asked.min() - int(over.total_seconds() * 1_000_000)
    return np.asarray((moments > low) & (moments <= asked.max()))
