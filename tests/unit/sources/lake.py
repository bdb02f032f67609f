"""A small lake of visits in a folder: three kinds of source, weather and shops joined to them."""

import gzip
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tenantry.sources.connections import Connection, Connections
from tenantry.specs.model import Spec
from tenantry.times import Window

AS_OF = datetime(2024, 3, 1, tzinfo=UTC)
SPAN = Window(datetime(2024, 1, 1, tzinfo=UTC), AS_OF)

ROWS = (
    {"name": "north", "connection": "north", "kind": "parquet", "path": "visits"},
    {"name": "south", "connection": "south", "kind": "csv", "path": "visits.csv.gz"},
    {"name": "west", "connection": "west", "kind": "sql", "path": "visits"},
)
WEATHER = {
    "name": "weather",
    "connection": "weather",
    "kind": "parquet",
    "path": "weather.parquet",
    "on": {"shop": "place"},
    "as_of": {"column": "seen_at", "tolerance": "3h"},
    "columns": ["temp"],
}
SHOPS = {
    "name": "shops",
    "connection": "shops",
    "kind": "csv",
    "path": "shops.csv",
    "on": {"shop": "shop"},
    "columns": ["size"],
}
COLUMNS = {
    "brand": {"type": "category"},
    "number": {"type": "integer"},
    "at": {"type": "time"},
    "shop": {"type": "category", "categories": ["a", "b"]},
    "amount": {"type": "number", "min": 0},
    "spent": {"type": "number"},
}


def make_spec(tenant="acme", *, rows=ROWS, joins=(), columns=None, contract=None, **changes):
    """Make a spec; `columns` change the contract's columns, None takes one out."""
    wanted = {**COLUMNS, **(columns or {})}
    wanted = {name: column for name, column in wanted.items() if column is not None}
    return Spec.model_validate(
        {
            "product": "spending",
            "tenant": tenant,
            "sources": {"rows": list(rows), "joins": list(joins)},
            "row_filter": {"pattern": "(?P<brand>[a-z0-9-]+)", "case": "upper"},
            "key": ["brand", "number"],
            "times": {"event_time": "at", "label_known_at": {"delay": "2d"}},
            "contract": {"columns": wanted} | (contract or {}),
            "label": {"column": "spent", "above": 10},
            "features": {"amount": {"kind": "numeric"}},
            "model": {"candidates": {"prior": {}}, "validation": "7d"},
            "train": {"every": "7d", "history": "60d"},
            "gate": {"holdout": "7d"},
            "predict": {"window": "7d", "start": "2024-01-01"},
            "pooled": {"every": "7d"},
        }
        | changes
    )


def make_rows(count=30, *, brand="ACME", first=1, start="2024-02-01", **columns):
    """Make visits, one every 8 hours; `columns` replace whole columns."""
    numbers = range(first, first + count)
    frame = pd.DataFrame(
        {
            "brand": brand,
            "number": numbers,
            "at": pd.date_range(start, periods=count, freq="8h", tz="UTC", unit="us"),
            "shop": ["a" if number % 2 else "b" for number in numbers],
            "amount": [float(number % 7) for number in numbers],
            "spent": [float(number % 23) for number in numbers],
            "noise": "unread",
        }
    )
    return frame.assign(**columns)


def write_parquet(path: Path, frame: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = frame.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    path.write_bytes(
        gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode()
    )


def write_sqlite(path: Path, frame: pd.DataFrame, table="visits") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = frame.assign(at=frame["at"].astype("str"))
    with sqlite3.connect(path) as database:
        database.execute(
            f"CREATE TABLE {table} (brand TEXT, number INTEGER, at DATETIME, shop TEXT,"
            " amount NUMERIC(9, 2), spent REAL, noise TEXT)"
        )
        values = plain.astype(object).where(plain.notna(), None).values.tolist()
        database.executemany(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    database.close()


class Lake:
    """The lake's folder, and the connections to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        urls = {name: folder.joinpath(name).as_uri() for name in ("north", "south")}
        urls |= {"west": f"sqlite:///{folder / 'west.sqlite'}"}
        urls |= {"weather": folder.as_uri(), "shops": folder.as_uri()}
        self.connections = Connections(
            connections={name: Connection(url=url) for name, url in urls.items()}
        )

    def fill(self, *, north=None, south=None, west=None):
        """Write all three sources; each holds other visits of ACME and some of another brand."""
        other = make_rows(5, brand="OTHER", first=900)
        north = make_rows(10, first=100) if north is None else north
        south = make_rows(10, first=200) if south is None else south
        west = make_rows(10, first=300) if west is None else west
        for month, rows in north.groupby(north["at"].dt.strftime("%Y-%m")):
            write_parquet(self.folder / "north" / "visits" / f"month={month}" / "0.parquet", rows)
        write_csv(self.folder / "south" / "visits.csv.gz", pd.concat([south, other]))
        (self.folder / "west.sqlite").unlink(missing_ok=True)
        write_sqlite(self.folder / "west.sqlite", pd.concat([west, other]))
        return self
