"""A source as it is given on the command line: a file, a folder, or a table of a database."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pandas as pd

from tenantry.errors import Fault, OnboardingError
from tenantry.sources.connections import Connection, Connections
from tenantry.sources.files import list_file_columns, read_csv, read_parquet
from tenantry.sources.query import Query
from tenantry.specs.data import Source
from tenantry.specs.parts import COLUMN_NAME
from tenantry.text import is_text

MOST_COLUMNS = 1_000
"""A table with more is no table of rows about one thing; nobody could read its proposal."""

_PLACE = "--source"
_HEAD = 1 << 20
_COLUMN = re.compile(COLUMN_NAME)
_SECRET = re.compile(r"pass|secret|token|key|pwd|sig|cred", re.IGNORECASE)
_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True)
class Given:
    """A source, and what its columns are called.

    Attributes:
        source: The table; its connection is `connection`'s name.
        connection: Where it lies.
        columns: Its columns whose names a spec can hold, in order.
        unnamed: How many others there are.
    """

    source: Source
    connection: Connection
    columns: tuple[str, ...]
    unnamed: int = 0

    def read(self) -> pd.DataFrame:
        """Read every row and column, values as they are; CSV as text.

        Raises:
            SourceError: It cannot be read.
        """
        query = Query(self.source, self.connection, self.columns)
        if self.source.kind == "sql":
            from tenantry.sources.sql import read_sql

            return read_sql(query)
        return read_parquet(query) if self.source.kind == "parquet" else read_csv(query)


def open_given(text: str, table: str, connections: Connections) -> Given:
    """Find out what a source is, and look at its columns.

    Args:
        text: A path, the name of a connection, or the address of a database without a password.
        table: The table in a database, or the path below a named connection.
        connections: The connections there are.

    Raises:
        OnboardingError: It is nothing that can be read; no part of an address is repeated.
        SourceError: It cannot be read.
        SourceUnavailableError: The database did not answer.
    """
    if text in connections.connections:
        source, connection = _named(text, table, connections)
    elif "://" in text and not text.startswith("file:"):
        source, connection = _database(text, table)
    else:
        path = Path(text) if "://" not in text else Connection(url=text).folder or Path(text)
        source, connection = _file(path)
    columns = _columns(source, connection)
    known = tuple(name for name in columns if _COLUMN.fullmatch(name))
    if not known:
        raise _error("no column has a name that a spec can hold", "letters, digits and _")
    return Given(source, connection, known, len(columns) - len(known))


def _columns(source: Source, connection: Connection) -> tuple[str, ...]:
    query = Query(source, connection, ())
    if source.kind == "sql":
        from tenantry.sources.sql import list_table_columns

        columns = list_table_columns(query)
    else:
        columns = list_file_columns(query)
    if len(columns) > MOST_COLUMNS:
        fault = f"has {len(columns):,} columns, at most {MOST_COLUMNS:,} can be looked at"
        raise _error(fault, "give those that say something about a row")
    return columns


def _check_head(line: str) -> None:
    """Look at the first line of a CSV file: are there columns, and has each a name of its own."""
    try:
        names = next(csv.reader([line]), [])
    except csv.Error:
        raise _error("its first line does not name columns", "write a header") from None
    if len({*names}) < len(names):
        twice = sum(names.count(name) > 1 for name in {*names})
        raise _error(f"{twice} of its columns have a name more than once", "give each its own")
    for delimiter, words in _DELIMITERS.items() if len(names) == 1 else ():
        if delimiter in line:
            fault = f"its columns are divided by {words}, not by commas"
            raise _error(fault, "save it with commas, or as Parquet")


# --- files ----------------------------------------------------------------------------------------


def _file(path: Path) -> tuple[Source, Connection]:
    if not is_text(str(path)) or not path.exists():
        raise _error("there is no such file or folder", "check the path")
    path = path.resolve()
    if not (path.is_file() or path.is_dir()):
        raise _error("is neither a file nor a folder", "save it as CSV or Parquet")
    try:
        kind = _kind(path)
    except OSError as error:
        raise _error(f"cannot be read ({type(error).__name__})", "check its rights") from None
    source = Source(name="given", connection="given", kind=kind, path=path.name)
    return source, Connection(url=path.parent.as_uri())


def _kind(path: Path) -> "str":
    if path.is_dir():
        files = (file for file in sorted(path.rglob("*")) if file.is_file())
        first = next((file for file in files if not file.name.startswith((".", "_"))), None)
        if first is None:
            raise _error("the folder holds no file", "check the path")
        return _kind(first)
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise _error("is empty", "check what writes it")
    if head[:4] == b"PAR1":
        return "parquet"
    if head[:2] == b"\x1f\x8b":
        if not path.name.endswith(".csv.gz"):
            raise _error("is compressed and not named .csv.gz", "name it so, if it is CSV")
        return "csv"
    _check_text(head)
    return "csv"


def _check_text(head: bytes) -> None:
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise _error("is UTF-16", "save it as UTF-8")
    if b"\0" in head or head[:2] == b"PK" or head[:4] == b"%PDF":
        raise _error("is neither CSV nor Parquet", "save it as one of them")
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if len(head) - error.start > 3 or len(head) < _HEAD:  # else a character cut in two
            fault = f"is not UTF-8 (line {head[: error.start].count(10) + 1})"
            raise _error(fault, "save it as UTF-8") from None
    _check_head(head.decode(errors="ignore").lstrip("\ufeff").partition("\n")[0].rstrip("\r"))


# --- connections and databases --------------------------------------------------------------------


def _named(name: str, path: str, connections: Connections) -> tuple[Source, Connection]:
    connection = connections.find(name, _PLACE)
    if not path:
        raise _error("names a connection", "say the table, or the path below it, with --table")
    if connection.folder is None:
        return Source(name="given", connection=name, kind="sql", path=path), connection
    folder = connection.folder.resolve()
    file = (folder / path).resolve()
    if not file.is_relative_to(folder):
        raise _error("--table leads out of the connection's folder", "write a path inside it")
    source, _ = _file(file)
    return source.model_copy(update={"connection": name, "path": path}), connection


def _database(text: str, table: str) -> tuple[Source, Connection]:
    try:
        parts = urlsplit(text)
        secret = parts.password is not None or any(
            _SECRET.search(name) for name, _ in parse_qsl(parts.query)
        )
    except ValueError:
        raise _error("is no address", "give a path, or a SQLAlchemy URL") from None
    if secret:
        remedy = (
            "write it into connections.yaml with `secret: NAME`, and give the connection's name"
        )
        raise _error("the address holds a secret, which no command line should", remedy)
    if parts.scheme in ("http", "https", "ftp", "s3", "gs", "abfs"):
        remedy = "fetch the file, or name a connection of connections.yaml"
        raise _error(f"{parts.scheme} addresses are not read", remedy)
    if not table:
        raise _error("is a database", "say which table with --table")
    source = Source(name="given", connection="given", kind="sql", path=table)
    return source, Connection(url=text).resolved(Path.cwd(), {})


def _error(fault: str, remedy: str) -> OnboardingError:
    return OnboardingError([Fault(_PLACE, fault, remedy)])
