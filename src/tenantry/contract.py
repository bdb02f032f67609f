"""Checking rows against the contract: bad rows are set aside, a broken contract stops the tenant.

What is not known yet is not looked at: rows known after `as_of` are left out, and label columns are
hidden until the row's label is known, before anything is checked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tenantry.columns import EVENT_TIME, LABEL, LABEL_KNOWN_AT, RESERVED
from tenantry.errors import ContractError, Fault
from tenantry.known import Columns, known_rows
from tenantry.moments import moments_until
from tenantry.order import is_rising, sort_rows
from tenantry.origins import SourceRead
from tenantry.quality import Quality
from tenantry.specs.data import Column
from tenantry.specs.features import HistoryFeature
from tenantry.specs.model import Spec
from tenantry.values import FAULTS, Kind, Values, as_texts, frame_of, read_softened, read_values

REASON = "reason"
"""The column that says why a row was set aside: `column: fault`, several joined by `; `."""

Mask = NDArray[np.bool_]
RowFault = tuple[str, Mask]
"""`column: fault`, and the rows that have it."""


@dataclass(frozen=True)
class CheckedRows:
    """A tenant's rows after the check.

    Attributes:
        rows: The rows frame (see `tenantry.columns`): the contract's columns, then the reserved
            ones; sorted by event time, then key.
        quarantined: Rows set aside, all columns as text as they came, and `reason`.
        quality: What was found.
        not_yet_known: Rows that were read but are known only later than `as_of`.
        reads: The sources that they were read from, where that is known.
        joined: Joined source → its table as it was read, where that is known.
        counts: Column → how many values are missing, and among how many rows that could have one.
    """

    rows: pd.DataFrame
    quarantined: pd.DataFrame
    quality: Quality
    not_yet_known: int = 0
    reads: tuple[SourceRead, ...] = ()
    joined: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def expected_columns(spec: Spec) -> dict[str, Column]:
    """Return the columns that are read and kept: key first, then the others by name.

    Key columns and the time of the event are required, whatever the contract says.
    """
    columns = spec.contract.columns
    required = {*spec.key, spec.times.event_time, spec.times.known_at.column}
    ordered = (*spec.key, *sorted(set(columns) - set(spec.key)))
    return {
        name: columns[name].model_copy(update={"required": True})
        if name in required
        else columns[name]
        for name in ordered
    }


def outcome_columns(spec: Spec) -> tuple[str, ...]:
    """Return the columns that are known only with the label.

    They are the label's own, what histories are made of, and the column that says when the label
    is known: a moment still to come tells the outcome too (a flight that lands late is late).
    """
    features = (*spec.features.values(), *spec.pooled.features.values())
    outcomes = {item.of for item in features if isinstance(item, HistoryFeature)}
    outcomes |= {spec.times.label_known_at.column or spec.label.column}
    known = {spec.times.event_time, spec.times.known_at.column, *spec.key}
    outcomes = (outcomes & set(spec.contract.columns)) - known
    return tuple(sorted(outcomes | {spec.label.column}))


def check_rows(
    frame: pd.DataFrame, spec: Spec, as_of: datetime, *, softened: bool = False
) -> CheckedRows:
    """Check rows against the contract of the spec, as known at `as_of`.

    Args:
        frame: Rows as read, with the contract's columns; values of any type.
        spec: The tenant's spec.
        as_of: Nothing known later is looked at.
        softened: Whether the contract's columns are as `values.soften` gives them.

    Returns:
        The rows that keep the contract, those set aside, and the record of both. Of rows that
        repeat each other one is kept; rows that share a key and differ are all set aside.

    Raises:
        ContractError: A column or every row is missing, or more values are missing or more rows
            bad than the contract allows; every fault at once.
    """
    checked = check_part(frame, spec, as_of, softened=softened)
    require_contract(checked.quality, checked.not_yet_known, spec)
    return checked


def check_part(
    frame: pd.DataFrame, spec: Spec, as_of: datetime, *, softened: bool = False
) -> CheckedRows:
    """Check some of a tenant's rows, see `check_rows`; only a missing column is refused."""
    columns = expected_columns(spec)
    _require_columns(frame, spec)
    given = {name: frame[name] for name in columns}
    known, moments, later = known_rows(given, outcome_columns(spec), spec.times, as_of)
    read = read_softened if softened else read_values
    typed, faults, missing = _typed_columns(known, columns, read)
    counts = _count_missing(missing, spec, moments_until(moments[LABEL_KNOWN_AT], as_of))
    moments[LABEL] = _labels(typed[spec.label.column], spec)
    rows = frame_of(typed | {name: moments[name] for name in RESERVED})
    bad = np.zeros(len(rows), dtype=bool)
    for _, mask in faults:
        bad |= mask
    copies, rivals = _find_repeats(rows, spec.key, ~bad)
    faults.append((rivals_of(spec), rivals))
    kept = _sorted(_only(rows, ~(bad | rivals | copies)), spec)
    quality = Quality(
        rows=len(kept),
        labelled=int(np.count_nonzero(~kept[LABEL].array.isna())),
        quarantined=_count(bad | rivals),
        copies=_count(copies),
        reasons={reason: _count(mask) for reason, mask in faults if mask.any()},
        null_shares=_shares(counts),
        first_event=kept[EVENT_TIME].iloc[0].to_pydatetime() if len(kept) else None,
        last_event=kept[EVENT_TIME].iloc[-1].to_pydatetime() if len(kept) else None,
    )
    aside = _set_aside(known, faults, bad | rivals)
    return CheckedRows(kept, aside, quality, later, counts=counts)


def rivals_of(spec: Spec) -> str:
    """Return the reason for which rows are set aside that share their key and differ."""
    return f"{', '.join(spec.key)}: shared with another row"


def join_parts(parts: Sequence[CheckedRows]) -> CheckedRows:
    """Return parts of a tenant's rows as one, in order of time; only without the rows themselves.

    No part may repeat a key of another.
    """
    counts: dict[str, tuple[int, int]] = {}
    reasons: dict[str, int] = {}
    for part in parts:
        for name, (missing, could) in part.counts.items():
            before = counts.get(name, (0, 0))
            counts[name] = before[0] + missing, before[1] + could
        for reason, count in part.quality.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
    firsts = [part.quality.first_event for part in parts if part.quality.first_event]
    lasts = [part.quality.last_event for part in parts if part.quality.last_event]
    quality = Quality(
        rows=sum(part.quality.rows for part in parts),
        labelled=sum(part.quality.labelled for part in parts),
        quarantined=sum(part.quality.quarantined for part in parts),
        copies=sum(part.quality.copies for part in parts),
        reasons=reasons,
        null_shares=_shares(counts),
        first_event=min(firsts, default=None),
        last_event=max(lasts, default=None),
    )
    aside = [part.quarantined for part in parts if len(part.quarantined)]
    quarantined = parts[0].quarantined
    if aside:
        joined = pd.concat(aside, ignore_index=True)
        quarantined = joined.sort_values(list(joined.columns), ignore_index=True)
    later = sum(part.not_yet_known for part in parts)
    return CheckedRows(parts[0].rows.head(0), quarantined, quality, later, counts=counts)


def require_contract(quality: Quality, later: int, spec: Spec) -> None:
    """Refuse rows that break the contract.

    Args:
        quality: Of all rows.
        later: How many rows are not known yet.
        spec: The tenant's spec.

    Raises:
        ContractError: Every row is missing, or more values are missing or more rows bad than the
            contract allows; every fault at once.
    """
    if not quality.rows and not quality.quarantined:
        _refuse_nothing(spec, later)
    _refuse_broken(quality, spec)


def _require_columns(frame: pd.DataFrame, spec: Spec) -> None:
    expected, place = set(expected_columns(spec)), f"{spec.tenant}: contract.columns"
    missing, ours = sorted(expected - set(frame.columns)), sorted(expected & set(RESERVED))
    remedy = "mend the source, or take it out of the contract"
    faults = [Fault(f"{place}.{name}", "the column is missing", remedy) for name in missing]
    remedy = "give the column another name in the source"
    faults += [Fault(f"{place}.{name}", "is a name that we use ourselves", remedy) for name in ours]
    if faults:
        raise ContractError(faults)


def _refuse_nothing(spec: Spec, later: int) -> None:
    fault = "none is known yet" if later else "there is none in the span that is read"
    remedy = "check the sources and the row filter, or pause the tenant until it has data"
    raise ContractError([Fault(f"{spec.tenant}: rows", fault, remedy)])


def _only(frame: pd.DataFrame, kept: Mask) -> pd.DataFrame:
    """Return some rows, numbered anew; the frame itself when that is all of them."""
    return frame if kept.all() else frame[kept].reset_index(drop=True)


def _typed_columns(
    known: Columns,
    columns: Mapping[str, Column],
    read: Callable[["pd.Series[Any]", Kind], Values],
) -> tuple[Columns, list[RowFault], dict[str, Mask]]:
    """Return every column as its type, which rows are at fault, and which have no value."""
    typed: dict[str, pd.Series[Any]] = {}
    faults: list[RowFault] = []
    missing: dict[str, Mask] = {}
    for name, column in columns.items():
        values = read(known[name], column.type)
        typed[name] = values.clean
        faults.append((f"{name}: {FAULTS[column.type]}", values.bad))
        missing[name] = np.asarray(values.clean.array.isna(), dtype=bool) & ~values.bad
        faults += [
            (f"{name}: {fault}", mask)
            for fault, mask in _value_faults(values.clean, column, missing[name])
        ]
    return typed, faults, missing


def _value_faults(clean: "pd.Series[Any]", column: Column, missing: Mask) -> Iterator[RowFault]:
    if column.required:
        yield "missing", missing
    if column.min is not None:
        yield f"below {column.min:g}", (clean < column.min).to_numpy(dtype=bool)
    if column.max is not None:
        yield f"above {column.max:g}", (clean > column.max).to_numpy(dtype=bool)
    if column.categories is not None:
        allowed = clean.isin(column.categories) | clean.isna()
        yield "not an allowed category", ~allowed.to_numpy(dtype=bool)


def _count_missing(
    missing: Mapping[str, Mask], spec: Spec, label_known: Mask
) -> dict[str, tuple[int, int]]:
    """Count each column's missing values, and among how many: an outcome's with a known label."""
    outcomes = outcome_columns(spec)
    return {
        name: (_count(mask & label_known), _count(label_known))
        if name in outcomes
        else (_count(mask), len(mask))
        for name, mask in missing.items()
    }


def _count(mask: Mask) -> int:
    return int(np.count_nonzero(mask))


def _shares(counts: Mapping[str, tuple[int, int]]) -> dict[str, float]:
    return {name: missing / could if could else 0.0 for name, (missing, could) in counts.items()}


def _labels(values: "pd.Series[Any]", spec: Spec) -> "pd.Series[Any]":
    if spec.classes:
        return values.map({name: float(code) for code, name in enumerate(spec.classes)})
    if spec.label.above is None:
        return values
    numbers = values.to_numpy(dtype=float)
    labels = (numbers > spec.label.above).astype(float)
    labels[np.isnan(numbers)] = np.nan
    return pd.Series(labels, copy=False)


def _find_repeats(rows: pd.DataFrame, key: tuple[str, ...], good: Mask) -> tuple[Mask, Mask]:
    """Return the good rows that copy an earlier one, and those that share its key but differ."""
    copies, rivals = np.zeros_like(good), np.zeros_like(good)
    if len(key) == 1 and is_rising(rows[key[0]]):
        return copies, rivals
    shared = np.flatnonzero(good)[rows.loc[good, list(key)].duplicated(keep=False).to_numpy()]
    if not len(shared):
        return copies, rivals
    copies[shared] = rows.iloc[shared].duplicated().to_numpy()
    different = shared[~copies[shared]]
    rivals[different] = rows.iloc[different].duplicated(list(key), keep=False).to_numpy()
    return copies, rivals


def _sorted(rows: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    return sort_rows(rows, (EVENT_TIME, *spec.key))


def _set_aside(known: Columns, faults: list[RowFault], aside: Mask) -> pd.DataFrame:
    """Return the bad rows as text with their reasons, in an order of their own."""
    if not aside.any():
        return _nothing_aside(tuple(known))
    reasons = np.full(int(aside.sum()), "", dtype=object)
    for reason, mask in faults:
        chosen = mask[aside]
        reasons[chosen] = reasons[chosen] + np.where(reasons[chosen] == "", "", "; ") + reason
    texts = {name: as_texts(column[aside]) for name, column in known.items()}
    frame = pd.DataFrame(texts).assign(**{REASON: pd.Series(reasons, dtype="str").array})
    return frame.sort_values(list(frame.columns), ignore_index=True)


@lru_cache(maxsize=8)  # tenants of a product have the same columns
def _nothing_aside(columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(columns=[*columns, REASON], dtype="str")


def _refuse_broken(quality: Quality, spec: Spec) -> None:
    """Raise when more is missing or bad than the contract allows."""
    place, remedy = f"{spec.tenant}: contract", "mend the source, or change what may be"
    faults = []
    share = quality.quarantined / (quality.rows + quality.quarantined)
    allowed = spec.contract.max_quarantined_share
    if share > allowed:
        fault = f"{share:.1%} of the rows are bad, at most {allowed:.1%} may be: {quality.sentence}"
        faults.append(Fault(f"{place}.max_quarantined_share", fault, remedy))
    elif not quality.rows:
        fault = f"none keeps the contract: {quality.sentence}"
        faults.append(Fault(f"{spec.tenant}: rows", fault, remedy))
    for name, column in spec.contract.columns.items():
        missing, allowed = quality.null_shares[name], column.max_null_share
        if missing > allowed:
            fault = f"{missing:.1%} of the values are missing, at most {allowed:.1%} may be"
            faults.append(Fault(f"{place}.columns.{name}.max_null_share", fault, remedy))
    if faults:
        raise ContractError(faults)
