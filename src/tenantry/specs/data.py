"""The parts of a spec that say what is read, when it is known, and what is predicted."""

from typing import Literal

from pydantic import Field

from tenantry.specs.parts import ColumnName, ConnectionName, DnsLabel, Share, SpecPart
from tenantry.times import Duration, PositiveDuration

TENANT = "{tenant}"
"""Stands for the tenant's name in a source's path."""

REGION = "{region}"
"""Stands for the tenant's home region in the name of a source's connection."""


class Source(SpecPart):
    """One table in one place."""

    name: DnsLabel
    """What messages call it."""
    connection: ConnectionName
    """A name in `connections.yaml`; `{region}` stands for the tenant's home region."""
    kind: Literal["parquet", "csv", "sql"]
    """How it is read."""
    path: str
    """File or folder below the connection (Parquet, CSV), or the table's name (SQL); `{tenant}`
    stands for the tenant's name."""


class AsOfJoin(SpecPart):
    """Take the latest observation not later than the row's `known_at`."""

    column: ColumnName
    """The observation's time in the joined source."""
    tolerance: PositiveDuration
    """How old an observation may be."""


class JoinedSource(Source):
    """A table whose columns are joined to the rows by key, and by time where it says so."""

    on: dict[ColumnName, ColumnName]
    """Columns of the rows → columns of this source that must be equal."""
    as_of: AsOfJoin | None = None
    """Point-in-time join; without it the source has one row a key."""
    columns: tuple[ColumnName, ...]
    """What to take."""


class Sources(SpecPart):
    """All that a product reads; bound by the platform."""

    rows: tuple[Source, ...] = Field(min_length=1)
    """Tables of the same columns, one below the other (regions, say)."""
    joins: tuple[JoinedSource, ...] = ()
    """Tables joined to them."""


class RowFilter(SpecPart):
    """Which rows are a tenant's: columns equal to parts of the tenant's name."""

    pattern: str
    """A regular expression over the tenant's name; each named group is a column."""
    case: Literal["upper", "lower"] = "lower"
    """The case of the values in the data."""


class Column(SpecPart):
    """What a column must look like."""

    type: Literal["number", "integer", "category", "text", "time", "boolean"]
    """How values are read; one that cannot be is a bad row."""
    min: float | None = None
    """Smallest number allowed."""
    max: float | None = None
    """Largest number allowed."""
    categories: tuple[str, ...] | None = None
    """Values allowed; all when absent."""
    required: bool = False
    """Whether a missing value makes a bad row."""
    max_null_share: Share = 1.0
    """Share of missing values past which the tenant's data are refused."""


class Contract(SpecPart):
    """What the rows must look like; bad rows are set aside, a broken contract stops the tenant."""

    columns: dict[ColumnName, Column]
    """By name; only these columns are read."""
    max_quarantined_share: Share = 0.2
    """Share of bad rows past which the tenant's data are refused."""


class KnownAt(SpecPart):
    """When something becomes known: a column, or a span from the event. Give exactly one."""

    column: ColumnName | None = None
    """A column that holds the moment."""
    lead: Duration | None = None
    """So long before the event (features)."""
    delay: Duration | None = None
    """So long after the event (labels)."""


class Times(SpecPart):
    """The three times of a row."""

    event_time: ColumnName
    """When it happens."""
    known_at: KnownAt = KnownAt(lead="0m")
    """When its features are known."""
    label_known_at: KnownAt
    """When its label is known."""


class Label(SpecPart):
    """What is predicted."""

    column: ColumnName
    """Where it comes from."""
    above: float | None = None
    """Classification: the label is whether the column is above this."""
    task: Literal["classification", "regression", "multiclass"] = "classification"
    """What kind of prediction: yes or no, a number, or one of the `categories` that the contract
    declares for the column."""
    title: str = ""
    """The label in words, for pages."""
