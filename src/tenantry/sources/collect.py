"""Collecting a tenant's rows as of a time: read, joined and checked."""

from dataclasses import replace
from datetime import datetime, timedelta

from tenantry.contract import CheckedRows, check_rows
from tenantry.sources.connections import Connections
from tenantry.sources.read import read_sources
from tenantry.specs.model import Spec
from tenantry.times import Window


def collect_rows(spec: Spec, connections: Connections, as_of: datetime) -> CheckedRows:
    """Read and check the tenant's rows, as they are known at `as_of`.

    Raises:
        SourceError: Sources are missing, unreadable or lack a column.
        SourceUnavailableError: Sources did not answer.
        ContractError: The rows break the contract.
    """
    rows, reads = read_sources(spec, connections, read_span(spec, as_of))
    return replace(check_rows(rows, spec, as_of), reads=reads)


def read_span(spec: Spec, as_of: datetime) -> Window:
    """Return the span of events that a run reads: the history, and what is known ahead.

    How far ahead follows from the lead; where a column says when rows are known, it is as far as
    the history reaches back.
    """
    known = spec.times.known_at
    ahead = spec.train.history if known.column is not None else (known.lead or timedelta(0))
    return Window(as_of - spec.train.history, as_of + ahead + timedelta(microseconds=1))
