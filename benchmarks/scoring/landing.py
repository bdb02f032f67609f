"""The landing zone and the specs: real flights, repeated in time until there are enough."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from benchmarks.data import fetch

PRODUCT = "late-network"
TRAINED = "2001-02-01"
"""What the models are trained as of: by the first month."""

START, NEVER = "2001-01-01", "2101-01-01"
"""When windows begin; and when none of them has."""

LENGTH = pd.Timedelta("182D")
"""The flights' six months, as whole weeks: what a repetition is later than the one before."""

_ROW_GROUP = 100_000


def make_landing(folder: Path, rows: int, recipes: tuple[str, ...]) -> pd.Timestamp:
    """Write so many flights in order of time, the same for a tenant a recipe.

    Args:
        folder: Gets ``landing/`` and ``connections.yaml``.
        rows: How many.
        recipes: The tenants, each named after its only candidate.

    Returns:
        A moment by which all of them are known, UTC.
    """
    first, *others = [folder / "landing" / "flights" / f"network={name}" for name in recipes]
    first.mkdir(parents=True)
    place = first / "part-0.parquet"
    last = pd.Timestamp(TRAINED)
    writer: pq.ParquetWriter | None = None
    for part in _repeated(rows):
        table = pa.Table.from_pandas(part, preserve_index=False)
        writer = writer or pq.ParquetWriter(place, table.schema)
        writer.write_table(table, row_group_size=_ROW_GROUP)
        last = part["date"].iloc[-1]
    if writer:
        writer.close()
    for other in others:
        other.mkdir()
        os.link(place, other / place.name)
    connections = {"flights": {"url": "landing"}}
    (folder / "connections.yaml").write_text(yaml.safe_dump({"connections": connections}))
    return pd.Timestamp(last).ceil("D") + pd.Timedelta("2D")


def _repeated(rows: int) -> Iterator[pd.DataFrame]:
    flights = pd.read_parquet(fetch()).sort_values("date", kind="stable", ignore_index=True)
    flights["date"] = flights["date"].dt.tz_localize("UTC")
    done = 0
    while done < rows:
        part = flights.iloc[: rows - done]
        numbers = range(done, done + len(part))
        yield part.assign(number=numbers, date=part["date"] + LENGTH * (done // len(flights)))
        done += len(part)


def write_specs(folder: Path, recipes: tuple[str, ...], start: str = START) -> None:
    """Write the product, whose windows begin at `start`, and a tenant for each recipe."""
    place = folder / "specs" / PRODUCT
    place.mkdir(parents=True, exist_ok=True)
    product = yaml.safe_load(Path(__file__).with_name("product.yaml").read_text())
    product["predict"]["start"] = start
    (place / "product.yaml").write_text(yaml.safe_dump(product, sort_keys=False))
    for name in recipes:
        spec = {
            "apiVersion": "tenantry/v2",
            "tenant": name,
            "model": {"candidates": {name: {}}},
        }
        (place / f"{name}.yaml").write_text(yaml.safe_dump(spec))


if __name__ == "__main__":
    where, count, *names = sys.argv[1:]
    sys.stdout.write(f"{make_landing(Path(where), int(count), tuple(names)).isoformat()}\n")
