"""Answers that wait to be logged: what is kept of a row, and of who answered it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from tenantry.served import Role
from tenantry.serving.answers import Told
from tenantry.serving.entries import Entry
from tenantry.serving.records import ServingRecord


class Answer(NamedTuple):
    """A row that was answered.

    Attributes:
        named: Its key and event time, raw, in the order of `names_of`.
        told: What was answered.
        at: When.
    """

    named: tuple[object, ...]
    told: Told
    at: datetime


@dataclass
class Batch:
    """Rows that wait to be written: answered by one version, by one record and past.

    Attributes:
        entry: What the index said.
        record: How the model answers.
        role: What it was to the tenant.
        answers: The rows.
        keys: What was written of them, so far, and is to go if they are written otherwise.
    """

    entry: Entry
    record: ServingRecord
    role: Role
    answers: list[Answer] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)


def names_of(record: ServingRecord) -> tuple[str, ...]:
    """Return the columns by which a row is known: its key, and its event time, each once."""
    return tuple(dict.fromkeys((*record.key, record.times.event_time)))
