"""What a tenant's rows are like: what stands in the way of taking it on, and what is different."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from tenantry.columns import EVENT_TIME, LABEL
from tenantry.contract import CheckedRows, check_rows, expected_columns
from tenantry.errors import Fault, OnboardingError, SourceError
from tenantry.moments import event_times
from tenantry.onboarding.given import Given
from tenantry.sources.collect import read_span
from tenantry.sources.connections import Connections
from tenantry.sources.read import read_rows
from tenantry.specs.data import Column
from tenantry.specs.faults import suggest
from tenantry.specs.feature_checks import columns_of
from tenantry.specs.load import filter_values
from tenantry.specs.model import Spec
from tenantry.times import Window, format_duration, format_moment, parse_moment

_ENOUGH = 30
"""Labelled rows from which it says something that all have the same label."""

_FEW = 0.01
"""Share of rows that may share their key, or lie in the future, without a word."""

_EVER = Window(parse_moment("1900-01-01"), parse_moment("2262-01-01"))


@dataclass(frozen=True)
class Found:
    """A tenant's rows.

    Attributes:
        checked: The rows as known at the time, whatever share was set aside.
        missing: Columns of the contract that the given source does not have.
        is_landed: Whether they were read from the product's own sources.
    """

    checked: CheckedRows
    missing: tuple[str, ...] = ()
    is_landed: bool = True


def find_rows(spec: Spec, connections: Connections, as_of: datetime, given: Given | None) -> Found:
    """Read and check a tenant's rows: from a source that is given, else from the product's own.

    Raises:
        OnboardingError: There is none, or columns are missing that it cannot do without.
        SourceError: They cannot be read.
        ContractError: None of them keeps the contract.
    """
    missing: tuple[str, ...] = ()
    reader, reached = spec, connections
    if given is not None:
        missing = _missing_columns(spec, given)
        reader, reached = _reading(spec, given, missing), _with(connections, given)
    rows = read_rows(reader, reached, read_span(spec, as_of))
    if rows.empty:
        raise OnboardingError([_explain_none(reader, reached, as_of)])
    for name in missing:
        rows[name] = pd.Series(pd.NA, index=rows.index, dtype=object)
    checked = check_rows(rows, _lenient(spec), as_of)
    return Found(checked, missing, is_landed=given is None or _is_landed(spec, connections, as_of))


def find_faults(found: Found, spec: Spec, as_of: datetime, now: datetime) -> Iterator[Fault]:
    """Yield what stands in the way of taking a tenant on, each with what to do."""
    quality = found.checked.quality
    shared = next((n for why, n in quality.reasons.items() if why.endswith("another row")), 0)
    if shared > _FEW * quality.rows:
        fault = f"{shared:,} rows share theirs ({', '.join(spec.key)}) with another and differ"
        remedy = "leave out what is there twice; or the key lacks a column, which is the product's"
        yield Fault("key", fault, remedy)
    bad = quality.quarantined - shared
    share, allowed = bad / (quality.rows + quality.quarantined), spec.contract.max_quarantined_share
    if bad > 0 and share > allowed:
        fault = f"{share:.1%} are bad, at most {allowed:.1%} may be: {quality.sentence}"
        yield Fault(
            "rows", fault, "mend what writes them, or give the source that keeps the contract"
        )
    yield from _null_faults(found, spec)
    yield from _future_faults(found, now)
    yield from _label_faults(found, spec, as_of)


def _null_faults(found: Found, spec: Spec) -> Iterator[Fault]:
    for name, column in spec.contract.columns.items():
        missing = found.checked.quality.null_shares.get(name, 0.0)
        if missing > column.max_null_share:
            fault = f"{missing:.1%} are missing, at most {column.max_null_share:.1%} may be"
            yield Fault(f"column {name}", fault, "mend what writes it, or change the contract")


def _future_faults(found: Found, now: datetime) -> Iterator[Fault]:
    """Labels are facts: what has one has happened, whatever time it says."""
    rows = found.checked.rows
    known = rows[rows[LABEL].notna()] if len(rows) else rows
    ahead = int((known[EVENT_TIME] > now).sum()) + found.checked.not_yet_known
    latest = known[EVENT_TIME].max() if len(known) else None
    if len(known) and latest is not None and latest > now and ahead > _FEW * len(rows):
        fault = f"{ahead:,} rows lie in the future, up to {format_moment(latest.to_pydatetime())}"
        yield Fault("event time", fault, "is it the right column, unit and time zone?")


def _label_faults(found: Found, spec: Spec, as_of: datetime) -> Iterator[Fault]:
    quality, label = found.checked.quality, spec.label.column
    if not quality.labelled:
        fault = f"no row has a label ({label}) that is known by {format_moment(as_of)}"
        remedy = "wait until labels are there, or say --as-of; without any nothing can be judged"
        yield Fault("label", fault, remedy)
        return
    labels = found.checked.rows[LABEL].dropna()
    if labels.nunique() == 1 and len(labels) >= _ENOUGH and spec.label.task != "regression":
        above = f" above {spec.label.above:g}" if spec.label.above is not None else ""
        fault = f"all {len(labels):,} are the same ({label}{above})"
        yield Fault(
            "label", fault, "nothing can be learnt or judged: is it the right column, and unit?"
        )


def never_there(found: Found, spec: Spec) -> dict[str, str]:
    """Return the features that never have a value for the tenant → the column that is empty."""
    rows = found.checked.rows
    empty = {str(name) for name in rows.columns[rows.isna().all()]}
    return {
        name: column
        for name, feature in spec.features.items()
        for _, column in columns_of(name, feature)
        if column in empty
    }


# --- reading --------------------------------------------------------------------------------------


def _missing_columns(spec: Spec, given: Given) -> tuple[str, ...]:
    """Return the columns that a given source lacks; those that name the tenant are filled in."""
    joined = {name for join in spec.sources.joins for name in join.columns}
    needed = {*spec.key, spec.times.event_time, spec.label.column, *filter_values(spec)}
    needed |= {spec.times.known_at.column or "", spec.times.label_known_at.column or ""}
    missing = [
        name for name in expected_columns(spec) if name not in given.columns and name not in joined
    ]
    faults = [
        Fault("--source", f"has no column {name}", suggest(name, given.columns) or "it is needed")
        for name in missing
        if name in needed
    ]
    if faults:
        raise OnboardingError(faults)
    return tuple(missing)


def _reading(spec: Spec, given: Given, missing: tuple[str, ...]) -> Spec:
    """Return a spec that reads its rows from a given source, as far as it has the columns."""
    columns = {name: it for name, it in spec.contract.columns.items() if name not in missing}
    joins = tuple(one for one in spec.sources.joins if not {*one.on} & {*missing})
    sources = spec.sources.model_copy(update={"rows": (given.source,), "joins": joins})
    contract = spec.contract.model_copy(update={"columns": columns})
    return spec.model_copy(update={"sources": sources, "contract": contract})


def _with(connections: Connections, given: Given) -> Connections:
    known = {**connections.connections, given.source.connection: given.connection}
    return Connections(connections=known)


def _lenient(spec: Spec) -> Spec:
    """Return a spec whose contract is never broken by shares: they are told one by one."""
    columns: dict[str, Column] = {
        name: column.model_copy(update={"max_null_share": 1.0})
        for name, column in spec.contract.columns.items()
    }
    update = {"columns": columns, "max_quarantined_share": 1.0}
    return spec.model_copy(update={"contract": spec.contract.model_copy(update=update)})


def _is_landed(spec: Spec, connections: Connections, as_of: datetime) -> bool:
    try:
        return bool(len(read_rows(spec, connections, read_span(spec, as_of))))
    except SourceError:
        return False


def _explain_none(spec: Spec, connections: Connections, as_of: datetime) -> Fault:
    """Say why there is no row: none of the tenant's, or none within the history."""
    values = " and ".join(f"{name} = {value}" for name, value in filter_values(spec).items())
    rows = read_rows(spec, connections, _EVER)
    if rows.empty:
        remedy = "a tenant's name says which rows are its own; check name, case and source"
        return Fault("rows", f"there is none with {values}", remedy)
    times = event_times(rows, spec.times).dropna()
    span = f"{times.min():%Y-%m-%d} to {times.max():%Y-%m-%d}" if len(times) else "no time at all"
    history = format_duration(spec.train.history)
    fault = f"{len(rows):,} are there, of {span}, none in the {history} before {as_of:%Y-%m-%d}"
    return Fault("rows", fault, "say --as-of, or check the times")
