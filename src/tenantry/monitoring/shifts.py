"""Measure how far each stream of one window lies from what it used to be."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from tenantry.columns import EVENT_TIME, LABEL
from tenantry.monitoring.cells import is_number
from tenantry.monitoring.feed import KEPT, find_changes, find_faults
from tenantry.monitoring.judgements import Shift, ShiftKind
from tenantry.monitoring.measure import Evidence, known, recall_bets, windows_a_year
from tenantry.monitoring.memory import Arrival, Feed, Memory
from tenantry.monitoring.past import MIN_WINDOWS
from tenantry.monitoring.streams import (
    FRESHNESS,
    KINDS,
    LATE,
    PREDICTION,
    ROWS,
    SCHEMA,
    Streams,
    compare_windows,
    find_bars,
)
from tenantry.monitoring.watch import Watched, watch
from tenantry.specs.features import CategoricalFeature, NumericFeature
from tenantry.specs.model import Spec

Indices = npt.NDArray[np.intp]


def measure_shifts(
    spec: Spec, evidence: Evidence, memory: Memory
) -> tuple[tuple[Shift, ...], Memory]:
    """Measure how far each stream of a window lies from what the model learnt on.

    Returns:
        The streams, features in the spec's order first, and the memory with this window in it.
    """
    reference, rows = evidence.reference, evidence.rows
    start = evidence.receipt.span.start
    window = np.zeros(len(rows), dtype=np.intp)
    streams = compare_windows(reference, rows, window, 1, start=start)
    streams = streams.with_late(memory.arrivals, evidence.delivery.arrival)
    names = streams.names
    watched = watch(
        streams.effect,
        streams.p_value,
        won=recall_bets(memory, names),
        threshold=np.array([_threshold(spec, name) for name in names]),
        bar=find_bars(names, spec.monitor.false_alarms),
        windows_a_year=windows_a_year(spec),
    )
    past = len(memory.arrivals)
    shifts = {
        name: _shift(evidence, streams, watched, place, past) for place, name in enumerate(names)
    }
    unknown = (name for name in (*spec.features, LABEL) if name not in shifts)
    shifts |= {name: _not_learnt(name) for name in unknown}
    won = {name: tuple(watched.won[place, -1].tolist()) for place, name in enumerate(names)}
    order = (*spec.features, LABEL, PREDICTION, ROWS, FRESHNESS, LATE)
    kept = memory.model_copy(update={"won": memory.won | won})
    return tuple(shifts[name] for name in order), kept


def measure_feed(
    spec: Spec, evidence: Evidence, shifts: Iterable[Shift], memory: Memory
) -> tuple[Shift, Feed, Memory]:
    """Measure how the rows of a window came, and whether in the form that they used to come in.

    Args:
        spec: The tenant's spec.
        evidence: What the window is judged by.
        shifts: Of its streams, as `measure_shifts` returned them.
        memory: What is remembered of the windows before.

    Returns:
        The form as a stream without a p-value; how the rows came; and the memory with this window
        in it.
    """
    delivery, rows = evidence.delivery, evidence.rows
    arrival = delivery.arrival or Arrival(rows=len(rows), late=0)
    changes = (
        *find_changes(memory.kinds, delivery.kinds),
        *find_faults(memory.faults, delivery.faults, len(rows), spec.monitor.min_rows),
        *find_breaches(spec, shifts, len(rows)),
    )
    form = Shift(
        name=SCHEMA,
        kind="schema",
        effect=float(bool(changes)),
        p_value=None,
        evidence=0.0,
        drifted=bool(changes),
        note="; ".join(changes),
    )
    feed = Feed(
        rows=arrival.rows,
        late=arrival.late,
        unscored=delivery.unscored,
        silence=_find_silence(evidence),
        changes=changes,
    )
    was_late = any(one.name == LATE and one.drifted for one in shifts)
    return form, feed, _remember(evidence, memory, was_late=was_late)


def _find_silence(evidence: Evidence) -> float | None:
    """Return the hours from the last scored row to the window's end; None without rows."""
    last = evidence.rows[EVENT_TIME].max()
    if pd.isna(last):
        return None
    seconds: float = (evidence.receipt.span.end - last).total_seconds()
    return round(max(seconds / 3600, 0.0), 2)


def find_breaches(spec: Spec, shifts: Iterable[Shift], rows: int) -> Iterator[str]:
    """Say which features miss more values in a window than the contract allows their columns.

    The contract is kept over the whole history; one window may break it all the same.
    """
    if rows < spec.monitor.min_rows:
        return
    for shift in shifts:
        feature = spec.features.get(shift.name)
        if not isinstance(feature, NumericFeature | CategoricalFeature) or shift.missing is None:
            continue
        column = spec.contract.columns.get(feature.column or shift.name)
        if column is not None and shift.missing > column.max_null_share:
            allowed = f"the contract allows {column.max_null_share:.0%}"
            yield f"{shift.name} is missing in {shift.missing:.0%} of the rows, {allowed}"


def _remember(evidence: Evidence, memory: Memory, *, was_late: bool) -> Memory:
    """Remember how rows came; a window that was alarmingly late is not what is usual."""
    delivery = evidence.delivery
    arrivals = memory.arrivals
    if delivery.arrival and not was_late:
        arrivals = (*arrivals, delivery.arrival)[-KEPT:]
    update = {
        "arrivals": arrivals,
        "kinds": {**memory.kinds, **delivery.kinds},
        "faults": memory.faults if delivery.faults is None else dict(delivery.faults),
    }
    return memory.model_copy(update=update)


def _threshold(spec: Spec, name: str) -> float:
    rules = spec.monitor
    by_kind: dict[ShiftKind, float] = {
        "data": rules.drift_threshold,
        "label": rules.label_threshold,
        "prediction": rules.label_threshold,
        "volume": rules.volume_threshold,
        "freshness": rules.drift_threshold,
        "late": rules.drift_threshold,
    }
    return by_kind[KINDS.get(name, "data")]


def _shift(
    evidence: Evidence, streams: Streams, watched: Watched, place: int, arrivals: int
) -> Shift:
    name = streams.names[place]
    missing = float(streams.missing[place, -1])
    learnt = evidence.reference.columns.get(name)
    return Shift(
        name=name,
        kind=KINDS.get(name, "data"),
        effect=known(streams.effect[place, -1]),
        p_value=known(streams.p_value[place, -1]),
        evidence=float(watched.evidence[place, -1]),
        drifted=bool(watched.alarmed[place, -1]),
        note=_note(evidence, name, missing, arrivals),
        missing=known(missing) if learnt else None,
        missing_before=learnt.missing if learnt else None,
    )


def _not_learnt(name: str) -> Shift:
    return Shift(
        name=name,
        kind=KINDS.get(name, "data"),
        effect=None,
        p_value=None,
        evidence=0.0,
        drifted=False,
        note="not in the reference",
    )


def _note(evidence: Evidence, name: str, missing: float, arrivals: int) -> str:
    past = len(evidence.reference.volumes)
    few = f"{past} whole past windows, {MIN_WINDOWS} are needed" if past < MIN_WINDOWS else ""
    learnt, rows = evidence.reference.columns.get(name), evidence.rows
    if name == LATE:
        return _note_arrivals(evidence, arrivals)
    if learnt is None:
        return few
    if name not in rows:
        return "not in the window"
    gone = _note_missing(learnt.missing, missing)
    told = name == LABEL and evidence.reference.task == "multiclass"  # codes, told as categories
    if gone or told or rows.empty:
        return gone or few
    if is_number(rows[name]) != (learnt.numbers is not None):
        return "numbers where text was" if learnt.numbers is None else "text where numbers were"
    return few


def _note_arrivals(evidence: Evidence, past: int) -> str:
    arrival = evidence.delivery.arrival
    if arrival is None:
        return "it is not known when rows came"
    if past < MIN_WINDOWS:
        return f"{past} windows judged before, {MIN_WINDOWS} are needed"
    return f"{arrival.late:,} of {arrival.rows:,} rows came late" if arrival.late else ""


def _note_missing(before: float, now: float) -> str:
    if before == now == 1.0:
        return "missing in both"
    if now == 1.0:
        return "all missing in the window"
    if before == 1.0:
        return "all missing in the reference"
    return f"{now:.0%} missing, {before:.0%} before" if abs(now - before) >= 0.1 else ""
