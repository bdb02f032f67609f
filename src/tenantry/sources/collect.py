"""Collecting a tenant's rows as of a time: read, joined and checked."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pandas as pd

from tenantry.contract import CheckedRows, check_part, check_rows
from tenantry.erasure.suppression import Suppressed, find_suppressed
from tenantry.ledger import Due
from tenantry.moments import event_times
from tenantry.sources.connections import Connections
from tenantry.sources.read import read_sources
from tenantry.specs.model import Spec
from tenantry.times import Window, shifted

_SLACK = timedelta(days=14)
"""How much longer than features look back old rows are read: labels that came late count then."""


def collect_rows(
    spec: Spec,
    connections: Connections,
    as_of: datetime,
    span: Window | None = None,
    suppressed: Suppressed | None = None,
) -> CheckedRows:
    """Read and check the tenant's rows, as they are known at `as_of`.

    Args:
        spec: The tenant's.
        connections: Where sources lie.
        as_of: The run's logical time.
        span: The events to read; what a run reads when None.
        suppressed: Rows that were erased: they are left out, though sources still deliver them.

    Raises:
        SourceError: Sources are missing, unreadable or lack a column.
        SourceUnavailableError: Sources did not answer.
        ContractError: The rows break the contract.
    """
    rows, reads, joined = read_sources(spec, connections, span or read_span(spec, as_of))
    rows = _without(suppressed, rows, spec)
    return replace(check_rows(rows, spec, as_of, softened=True), reads=reads, joined=joined)


def collect_parts(
    spec: Spec,
    connections: Connections,
    as_of: datetime,
    stretches: Sequence[Window],
    suppressed: Suppressed | None = None,
) -> Iterator[CheckedRows]:
    """Read and check the tenant's rows stretch by stretch; see `collect_rows`.

    Rows without a readable event time come with the first. Whether all of them keep the contract
    is for `contract.require_contract` to say.

    Raises:
        SourceError: Sources are missing, unreadable or lack a column.
        SourceUnavailableError: Sources did not answer.
        ContractError: A column is missing.
    """
    for number, stretch in enumerate(stretches):
        rows, reads, joined = read_sources(spec, connections, stretch)
        if number:
            rows = rows[event_times(rows, spec.times).notna()].reset_index(drop=True)
        rows = _without(suppressed, rows, spec)
        yield replace(check_part(rows, spec, as_of, softened=True), reads=reads, joined=joined)


def _without(suppressed: Suppressed | None, rows: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    if suppressed is None:
        return rows
    return rows[~find_suppressed(suppressed, rows, spec.contract.columns)].reset_index(drop=True)


def old_rows_span(spec: Spec, backfill: Due | None, as_of: datetime) -> Window | None:
    """Return the span of events that a backfill reads besides; None when it needs no older ones.

    It depends on what was asked for, not on what is left of it, so that a backfill that is taken up
    again reads the same rows. It begins as much before the first window as features look back.
    """
    if backfill is None or backfill.since is None or backfill.until is None:
        return None
    if backfill.since >= read_span(spec, as_of).start:
        return None
    features = (*spec.features.values(), *spec.pooled.features.values())
    back = max((item.over for item in features if hasattr(item, "over")), default=timedelta())
    start = shifted(backfill.since, -(back + _SLACK))
    return Window(start, shifted(backfill.until, spec.predict.window))


def read_span(spec: Spec, as_of: datetime) -> Window:
    """Return the span of events that a run reads: the history, and what is known ahead.

    How far ahead follows from the lead; where a column says when rows are known, it is as far as
    the history reaches back.
    """
    known = spec.times.known_at
    ahead = spec.train.history if known.column is not None else (known.lead or timedelta(0))
    return Window(as_of - spec.train.history, as_of + ahead + timedelta(microseconds=1))
