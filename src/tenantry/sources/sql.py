"""Reading tables of any database that SQLAlchemy speaks to; values are always bound parameters."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import types
from sqlalchemy.engine import Connection as Session

from tenantry.errors import Fault, SourceUnavailableError
from tenantry.sources.query import DATED, Query, date_bounds
from tenantry.times import Window

_BUSY = ("locked", "busy")


def read_sql(query: Query) -> pd.DataFrame:
    """Read a table (`name` or `schema.name`): one SELECT with columns and filters in it.

    Returns:
        The wanted columns as the driver gives them; times of SQLite as text, since it has none.

    Raises:
        SourceError: The table, a column, the driver or the database file is missing.
        SourceUnavailableError: The database did not answer.
    """
    with _session(query) as session:
        columns = _table_columns(query, session)
        names = list(query.columns)
        result = session.execute(_select(query, columns, session.dialect.name))
        return pd.DataFrame.from_records(list(map(tuple, result.all())), columns=names)


def list_table_columns(query: Query) -> tuple[str, ...]:
    """Return the columns of a table, whatever they are called.

    Raises:
        SourceError: The table, the driver or the database file is missing.
        SourceUnavailableError: The database did not answer.
    """
    with _session(query) as session:
        schema, _, name = query.source.path.rpartition(".")
        found = sa.inspect(session).get_columns(name, schema=schema or None)
        return tuple(str(column["name"]) for column in found)


@contextmanager
def _session(query: Query) -> Iterator[Session]:
    """Yield a session; what goes wrong in it is told without statement, values or address."""
    url = _url(query)
    try:
        engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    except (sa.exc.ArgumentError, ImportError):
        fault = f"no driver for {url.drivername}"
        raise query.error(fault, "install it in the image, or name another in the url") from None
    try:
        with engine.connect() as session:
            yield session
    except sa.exc.NoSuchTableError:
        raise query.error("there is no such table", "check the path and the connection") from None
    except sa.exc.DBAPIError as error:
        kind = type(error.orig).__name__
        if _is_passing(error, url.get_backend_name()):
            fault = f"the database did not answer, or refused the login ({kind})"
            raise SourceUnavailableError(str(Fault(query.place, fault))) from None
        remedy = "check that it is a database of the connection's kind and may be read"
        raise query.error(f"the table cannot be read ({kind})", remedy) from None
    except (sa.exc.SQLAlchemyError, ValueError, TypeError) as error:
        kind = type(error).__name__
        raise query.error(
            f"the table cannot be read ({kind})", "check its columns' types"
        ) from None
    finally:
        engine.dispose()


def _url(query: Query) -> sa.URL:
    try:
        url = sa.make_url(query.connection.url)
    except (sa.exc.ArgumentError, ValueError):
        fault = "the connection is no SQLAlchemy URL"
        raise query.error(fault, "write e.g. postgresql+psycopg://user@host/database") from None
    if query.connection.folder is not None:
        raise query.error("the connection is a folder", "write `kind: parquet` or `kind: csv`")
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise query.error("there is no such database file", "check the connection's url")
    secret = query.connection.password
    return url if secret is None else url.set(password=secret.get_secret_value())


def _is_passing(error: sa.exc.DBAPIError, backend: str) -> bool:
    if backend == "sqlite":
        return any(word in str(error.orig) for word in _BUSY)
    passing = (sa.exc.OperationalError, sa.exc.InterfaceError)
    return error.connection_invalidated or isinstance(error, passing)


def _table_columns(query: Query, session: Session) -> dict[str, sa.ColumnClause[Any]]:
    schema, _, name = query.source.path.rpartition(".")
    found = sa.inspect(session).get_columns(name, schema=schema or None)
    query.require_columns(column["name"] for column in found)
    needed = [column for column in found if column["name"] in query.needed]
    columns = [sa.column(column["name"], column["type"]) for column in needed]
    table = sa.table(name, *columns, schema=schema or None)
    return {column.name: table.c[column.name] for column in columns}


def _select(query: Query, columns: dict[str, sa.ColumnClause[Any]], backend: str) -> sa.Select[Any]:
    wanted = [_plain(columns[name], backend) for name in query.columns]
    conditions = [_equal(columns[name], value) for name, value in query.equals.items()]
    if query.within is not None:
        time, span = query.within
        conditions += _within(columns[time], span, backend)
    return sa.select(*wanted).where(*conditions)


def _plain(column: sa.ColumnClause[Any], backend: str) -> sa.ColumnElement[Any]:
    """Return a column as plain numbers and texts; SQLite's times are texts of any form."""
    if isinstance(column.type, types.Numeric):
        return sa.type_coerce(column, types.Float()).label(column.name)
    if backend == "sqlite" and isinstance(column.type, (types.DateTime, types.Date)):
        return sa.type_coerce(column, types.String()).label(column.name)
    return column


def _equal(column: sa.ColumnClause[Any], value: str) -> sa.ColumnElement[bool]:
    if isinstance(column.type, types.String):
        return column == value
    if isinstance(column.type, types.Integer) and value.isdecimal():
        return column == int(value)
    return sa.cast(column, types.String) == value


def _within(
    column: sa.ColumnClause[Any], span: Window, backend: str
) -> Sequence[sa.ColumnElement[bool]]:
    time: sa.ColumnElement[Any] = column
    unplaced = [column.is_(None)]
    low: Any
    high: Any
    if isinstance(column.type, types.String) or backend == "sqlite":
        time = sa.type_coerce(column, types.String())
        low, high = (day.isoformat() for day in date_bounds(span))
        unplaced.append(sa.not_(time.like(DATED)))
    elif isinstance(column.type, types.Date):
        low, high = date_bounds(span)
    elif isinstance(column.type, types.DateTime):
        low, high = span.start, span.end
        if not column.type.timezone:
            low, high = low.replace(tzinfo=None), high.replace(tzinfo=None)
    else:
        return []
    return [sa.or_(sa.between(time, low, high), *unplaced)]
