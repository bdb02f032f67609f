"""The landing zone and the specs of the benchmark: real flights, a tenant a pair of airports."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from benchmarks.data import fetch

PRODUCT = "late-routes"
AS_OF = "2001-06-01"
WINDOW_END = "2001-06-08"
"""Flights of the week after `AS_OF` are known by then, as a schedule is; later ones are not."""

MIN_ROWS = 50
"""Of a pair of airports that is a tenant."""


def read_flights() -> pd.DataFrame:
    """Return the flights of all tenants: number, date (UTC), origin, destination, distance, delay.

    They are sorted by origin, destination and date, as a warehouse clusters them.
    """
    flights = pd.read_parquet(fetch())
    flights["number"] = np.arange(len(flights), dtype=np.int64)
    sizes = flights.groupby(["origin", "destination"])["date"].transform("size")
    flights = flights[sizes >= MIN_ROWS]
    flights["date"] = flights["date"].dt.tz_localize("UTC")
    return flights.sort_values(["origin", "destination", "date", "number"], ignore_index=True)


def make_landing(
    folder: Path, tenants: int | None = None, flights: pd.DataFrame | None = None
) -> list[str]:
    """Write the flights as a folder for each origin, the specs and the connections.

    Args:
        folder: Gets ``landing/``, ``specs/`` and ``connections.yaml``.
        tenants: How many tenants, evenly over all by their names; all when None.
        flights: The flights; those of `read_flights` when None.

    Returns:
        The tenants' names.
    """
    flights = read_flights() if flights is None else flights
    pairs = flights[["origin", "destination"]].drop_duplicates()
    places = np.linspace(0, len(pairs) - 1, tenants or len(pairs)).astype(np.int64)
    chosen = pairs.iloc[np.unique(places)]
    rows = flights.merge(chosen, on=["origin", "destination"])
    write_flights(folder, rows)
    names = [f"{one}-{other}".lower() for one, other in chosen.itertuples(index=False)]
    write_specs(folder, names)
    return names


def write_flights(folder: Path, flights: pd.DataFrame) -> None:
    """Write flights below ``landing/``, a folder for each origin."""
    for origin, part in flights.groupby("origin"):
        place = folder / "landing" / "flights" / f"origin={origin}"
        place.mkdir(parents=True, exist_ok=True)
        part.drop(columns="origin").to_parquet(place / "part-0.parquet", row_group_size=20_000)


def write_specs(folder: Path, names: list[str]) -> None:
    """Write the product, a spec for each tenant, and the connections."""
    product = Path(__file__).with_name("product.yaml")
    place = folder / "specs" / PRODUCT
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(product, place / "product.yaml")
    for name in names:
        (place / f"{name}.yaml").write_text(f"apiVersion: tenantry/v2\ntenant: {name}\n")
    connections = {"flights": {"url": "landing"}}
    (folder / "connections.yaml").write_text(yaml.safe_dump({"connections": connections}))
