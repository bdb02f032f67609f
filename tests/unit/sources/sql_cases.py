"""What every database must do; run over SQLite here, over PostgreSQL in `tests/servers`."""

from datetime import UTC, datetime

import pandas as pd
import sqlalchemy as sa

from tenantry.sources.connections import Connection
from tenantry.sources.query import Query
from tenantry.specs.data import Source
from tenantry.times import Window

SPAN = Window(datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 2, 2, tzinfo=UTC))


def naive(*parts):
    """Return a moment of 2024 as databases without time zones hold it."""
    return datetime(2024, *parts, tzinfo=UTC).replace(tzinfo=None)


def visits(time_type):
    return sa.Table(
        "visits",
        sa.MetaData(),
        sa.Column("brand", sa.String(20)),
        sa.Column("code", sa.Integer),
        sa.Column("at", time_type),
        sa.Column("amount", sa.Numeric(9, 2)),
        sa.Column("note", sa.Text),
    )


def fill(engine, table, moments, **values):
    """Make the table with a visit at each moment, `code` counting from 1."""
    table.drop(engine, checkfirst=True)
    table.create(engine)
    row = {"brand": "ACME", "amount": 1.5, "note": "'; DROP TABLE visits; --"} | values
    with engine.begin() as session:
        for code, at in enumerate(moments, start=1):
            session.execute(table.insert().values(row | {"code": code, "at": at}))


def query(url, *, columns=("code", "at", "amount", "note"), equals=None, path="visits", **more):
    return Query(
        source=Source(name="visits", connection="db", kind="sql", path=path),
        connection=Connection(url=url, **more),
        columns=columns,
        equals={"brand": "ACME"} if equals is None else equals,
        within=("at", SPAN),
    )


def codes_inside(frame):
    """Return the codes of the rows whose time, read as UTC, lies in the span or is missing."""
    at = pd.to_datetime(frame["at"], utc=True, format="ISO8601")
    return frame["code"][((at >= SPAN.start) & (at < SPAN.end)) | at.isna()].tolist()
