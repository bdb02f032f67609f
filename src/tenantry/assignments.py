"""Which model predicts which rows of which window: the work of `predict`, before it is done.

A window that began before the tenant's first model is assigned to that first model, in sample: its
rows may have been trained on, so it is never evidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenantry.champions import Champion, Reign
from tenantry.columns import EVENT_TIME, KNOWN_AT
from tenantry.features.recipe import table_features
from tenantry.features.tables import open_features
from tenantry.jobs import Job
from tenantry.ledger import Action, ModelChoice
from tenantry.models.pooled import read_usable_champion
from tenantry.predictions import Receipt
from tenantry.receipts import read_model_receipts
from tenantry.row_groups import ParquetRows
from tenantry.scalars import microseconds
from tenantry.sources.collect import old_rows_span
from tenantry.times import Window, shifted


@dataclass(frozen=True)
class Table:
    """A feature table of the job, as far as its rows are known; read window by window.

    Attributes:
        snapshot: The snapshot it was built from.
        features: Its digest.
        file: Its rows by event time: keys, times and features.
        happens: When each happens, in microseconds since 1970 UTC.
        known: Which of them are known; None for all.
    """

    snapshot: str
    features: str
    file: ParquetRows
    happens: NDArray[np.int64]
    known: NDArray[np.bool_] | None

    def places(self, window: Window) -> tuple[int, int]:
        """Return the place of the first row that happens in a window, and that after the last."""
        bounds = [microseconds(window.start), microseconds(window.end)]
        first, end = self.happens.searchsorted(bounds).tolist()
        return first, end

    def count(self, places: tuple[int, int]) -> int:
        """Return how many rows between two places are known."""
        first, end = places
        return end - first if self.known is None else int(self.known[first:end].sum())

    def read(self, places: tuple[int, int]) -> pd.DataFrame:
        """Read the known rows between two places."""
        rows = self.file.between(*places)
        return rows if self.known is None else rows[self.known[slice(*places)]]


@dataclass(frozen=True)
class Assignment:
    """A window that a model is to predict.

    Attributes:
        window: Which.
        reign: Whose model predicts it.
        stand_in: Whose model does when the spec has dropped what that one needs.
        table: Where its rows are from.
        places: Its rows' places in the table: the first, and that after the last.
        receipts: Version → the latest receipt of the window by it, later runs' included.
        as_of: The run's logical time.
        late_rows: For how long after the window's end rows that arrive are scored.
    """

    window: Window
    reign: Reign
    stand_in: Reign
    table: Table
    places: tuple[int, int]
    receipts: Mapping[str, Receipt]
    as_of: datetime
    late_rows: timedelta

    @property
    def place(self) -> tuple[Window, str]:
        """What tells assignments apart: the window and the model."""
        return self.window, self.reign.version

    @cached_property
    def count(self) -> int:
        """How many rows it has."""
        return self.table.count(self.places)

    def read_rows(self) -> pd.DataFrame:
        """Read its rows of the feature table."""
        return self.table.read(self.places)

    @property
    def earlier(self) -> Receipt | None:
        """The latest receipt of the window by this very model, or None."""
        return self.receipts.get(self.reign.version)

    @property
    def in_sample(self) -> bool:
        """Whether the window began before the model reigned."""
        return self.window.start < self.reign.unseen_from

    @property
    def late(self) -> int:
        """How many rows have arrived since this very model predicted the window."""
        return max(self.count - self.earlier.rows, 0) if self.earlier else 0

    @property
    def is_open(self) -> bool:
        """Whether the window is still to be predicted by this model.

        Rows that have arrived since it did are in time when it did within `late_rows` of the
        window's end: what arrived while no run looked is given the benefit of the doubt. What a
        later run has predicted stands: it knew all that is known now.
        """
        if self.earlier is None:
            return True
        if self.earlier.as_of > self.as_of:
            return False
        return self.late > 0 and self.earlier.as_of < shifted(self.window.end, self.late_rows)

    @property
    def is_confirmed(self) -> bool:
        """Whether rows that arrived late were looked for and none is to be scored."""
        if self.earlier is None or self.earlier.as_of == self.as_of:
            return False
        return not self.is_open

    def standing_in(self) -> Self:
        """Return the same for the model that stands in."""
        return replace(self, reign=self.stand_in)


def assign(job: Job) -> tuple[tuple[Assignment, ...], str]:
    """Assign the due windows of a tenant to models.

    Windows of a backfill that its model has predicted before are left out.

    Returns:
        The assignments by window, and which windows stay open and why, in words; empty for none.
    """
    champion = read_usable_champion(job.store, job.product, job.tenant)
    known = champion.until(job.as_of) if champion else None
    usual, asked = job.entry.windows("predict"), job.entry.windows("backfill")
    if known is None:
        windows = len({*usual, *asked})
        return (), f"no model reigns yet; {_stay_open(windows)}" if windows else ""
    made = _assign(job, known, "predict", _read_table(job, "")) if usual else []
    if not asked:
        return tuple(made), ""
    old = old_rows_span(job.spec, job.entry.due_for("backfill"), job.as_of)
    table = _read_table(job, "backfill_" if old else "")
    if table is None:
        return tuple(made), f"the backfill's rows could not be read; {_stay_open(len(asked))}"
    places = {one.place for one in made}
    more = _assign(job, known, "backfill", table)
    made += [one for one in more if one.earlier is None and one.place not in places]
    return tuple(sorted(made, key=lambda one: one.place)), ""


def _stay_open(windows: int) -> str:
    return f"{windows:,} window{'' if windows == 1 else 's'} stay open"


def _assign(job: Job, known: Champion, action: Action, table: Table | None) -> list[Assignment]:
    due = job.entry.due_for(action)
    if due is None or table is None:
        return []
    windows = job.entry.windows(action)
    receipts = read_model_receipts(job.store, job.product, job.tenant, windows=windows)
    return [
        Assignment(
            window=window,
            reign=_choose(known, due.model, window),
            stand_in=known.current,
            table=table,
            places=table.places(window),
            receipts=receipts.get(window, {}),
            as_of=job.as_of,
            late_rows=job.spec.predict.late_rows,
        )
        for window in windows
    ]


def _choose(known: Champion, model: ModelChoice, window: Window) -> Reign:
    if model == "current":
        return known.current
    return known.at(window.start) or known.earliest


def _read_table(job: Job, prefix: str) -> Table | None:
    """Read the table that earlier stages left under a name; None when they left none."""
    snapshot = job.entry.fact("ingest", f"{prefix}snapshot")
    features = job.entry.fact("build_features", f"{prefix}features")
    if not isinstance(snapshot, str) or not isinstance(features, str):
        return None
    spec = job.spec
    columns = dict.fromkeys((*spec.key, EVENT_TIME, KNOWN_AT, *table_features(spec)))
    file = open_features(job.store, job.product, job.tenant, features, columns)
    known = file.moments(KNOWN_AT) <= microseconds(job.as_of)
    happens = file.moments(EVENT_TIME)
    return Table(snapshot, features, file, happens, None if known.all() else known)
