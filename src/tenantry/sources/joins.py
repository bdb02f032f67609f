"""Joining other tables to the rows: by key, or the latest observation by then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tenantry.errors import Fault, SourceError
from tenantry.specs.data import AsOfJoin
from tenantry.times import Window
from tenantry.values import Kind, read_values

OBSERVED_AT = "\0time"
"""The column of `observations` that says when; no column of a spec can have that name."""

_ORDER = "\0order"


@dataclass(frozen=True)
class Pairing:
    """What must be equal for two rows to belong together, and what one gets from the other.

    Attributes:
        on: Columns of the rows → columns of the joined table.
        kinds: Columns of the rows → the type that both are compared as; text when absent.
        columns: The columns of the joined table to add.
    """

    on: Mapping[str, str]
    kinds: Mapping[str, Kind]
    columns: Sequence[str]

    def keys_of_rows(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the keys of the rows, named as there, with a fresh index."""
        return self._read({name: rows[name] for name in self.on})

    def keys_of_joined(self, joined: pd.DataFrame) -> pd.DataFrame:
        """Return the keys of the joined table, named as in the rows, with a fresh index."""
        return self._read({name: joined[other] for name, other in self.on.items()})

    def _read(self, columns: Mapping[str, "pd.Series[Any]"]) -> pd.DataFrame:
        clean = {
            name: read_values(column.reset_index(drop=True), self.kinds.get(name, "text")).clean
            for name, column in columns.items()
        }
        return pd.DataFrame(clean)


def join_by_key(
    rows: pd.DataFrame, joined: pd.DataFrame, pairing: Pairing, *, place: str
) -> pd.DataFrame:
    """Add columns of the joined table's row of the same key; missing where there is none.

    Args:
        rows: The rows.
        joined: One row a key.
        pairing: What must be equal, and the columns to add.
        place: What errors call the joined table.

    Returns:
        The rows in their order, with a fresh index.

    Raises:
        SourceError: A key is there more than once.
    """
    right = keyed_rows(joined, pairing)
    repeated = int(right.duplicated(list(pairing.on)).sum())
    if repeated:
        fault = f"{repeated} rows repeat the key {', '.join(pairing.on.values())}"
        remedy = "keep one row a key, or join it `as_of` a time"
        raise SourceError(str(Fault(place, fault, remedy)))
    found = pairing.keys_of_rows(rows).merge(right, how="left", on=list(pairing.on))
    return _beside(rows, found[list(pairing.columns)])


def join_as_of(
    rows: pd.DataFrame,
    joined: pd.DataFrame,
    pairing: Pairing,
    *,
    as_of: AsOfJoin,
    known_at: "pd.Series[Any]",
) -> pd.DataFrame:
    """Add columns of the latest observation that is not later than each row is known.

    Args:
        rows: The rows.
        joined: Observations; of several of one key and time it is always the same one that counts,
            whatever their order.
        pairing: What must be equal, and the columns to add.
        as_of: The observations' time, and how old one may be.
        known_at: When each row is known, datetime64[us, UTC].

    Returns:
        The rows in their order, with a fresh index; missing where there is no such observation.
    """
    left = pairing.keys_of_rows(rows).assign(
        **{OBSERVED_AT: known_at.array, _ORDER: range(len(rows))}
    )
    found = pd.merge_asof(
        left[left[OBSERVED_AT].notna()].sort_values(OBSERVED_AT, kind="stable"),
        observations(joined, pairing, as_of),
        on=OBSERVED_AT,
        by=list(pairing.on),
        tolerance=pd.Timedelta(as_of.tolerance),
    )
    found = found.set_index(_ORDER).reindex(range(len(rows)))
    return _beside(rows, found[list(pairing.columns)])


def observations(joined: pd.DataFrame, pairing: Pairing, as_of: AsOfJoin) -> pd.DataFrame:
    """Return the observations by time: keys named as in the rows, `OBSERVED_AT`, the columns.

    Of several of one key and time the last one counts, the same whatever their order was.
    """
    observed = read_values(joined[as_of.column].reset_index(drop=True), "time").clean
    right = keyed_rows(joined, pairing, observed)
    if right.duplicated([*pairing.on, OBSERVED_AT]).any():
        right = right.sort_values(list(pairing.columns), key=lambda column: column.astype("str"))
    return right.sort_values(OBSERVED_AT, kind="stable")


def observation_span(known_at: "pd.Series[Any]", as_of: AsOfJoin) -> Window | None:
    """Return the span in which observations can matter, or None when no row is ever known."""
    if not known_at.notna().any():
        return None
    first, last = known_at.min().to_pydatetime(), known_at.max().to_pydatetime()
    return Window(first - as_of.tolerance, last)


def keyed_rows(
    joined: pd.DataFrame, pairing: Pairing, observed: "pd.Series[Any] | None" = None
) -> pd.DataFrame:
    """Return keys, time and columns of the joined rows that have all keys and a time."""
    right = pairing.keys_of_joined(joined)
    if observed is not None:
        right[OBSERVED_AT] = observed
    whole = right.notna().all(axis="columns")
    added = joined[list(pairing.columns)].reset_index(drop=True)
    return pd.concat([right, added], axis="columns")[whole]


def _beside(rows: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    parts = [rows.reset_index(drop=True), found.reset_index(drop=True)]
    return pd.concat(parts, axis="columns")
