import fcntl
import os
import pickle
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.fleet.harness import PRODUCT, FleetRun, Harness
from tools.make_demo_data import gzipped_csv, package_folder, parquet, read_flights, sqlite

SHIPPED = Path("tenant_specs")
OCTOBER, NOVEMBER = "2013-10-01", "2013-11-01"
SMALL = ("f9", "fl", "ha", "oo", "vx")
"""Real airlines with few flights: fallbacks, cold starts and whole models."""


LONG = ("regions", "regions_docs", "hostile", "compiled", "erasure")
"""Files that are begun first, so that no worker is left alone with one at the end."""


def pytest_collection_modifyitems(items):
    """Sort the tests of this folder by file: the long ones first, in their order."""
    here = [item for item in items if item.path.parent == Path(__file__).parent]
    ranks = {f"test_{name}.py": rank for rank, name in enumerate(LONG)}
    here.sort(key=lambda item: ranks.get(item.path.name, len(LONG)))
    others = [item for item in items if item.path.parent != Path(__file__).parent]
    items[:] = here + others


@contextmanager
def kept_environment():
    """Undo what is done to the environment."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def same_environment():
    """Keep what the harness sets for its tasks from other tests."""
    with kept_environment():
        yield


@pytest.fixture(scope="session")
def small_flights():
    """All real flights of the small airlines."""
    flights = read_flights(package_folder())
    return flights[flights["carrier"].str.lower().isin(SMALL)].reset_index(drop=True)


@pytest.fixture
def make_fleet(tmp_path, landing, small_flights):
    """Return a function that makes a fleet with sources of its own.

    Its arguments: `name` (of its folder), `change` (what is done to the flights), `tenants` (spec
    files beside the small airlines': name → YAML), `weather` (what is done to the weather),
    `product` (what is done to the text of product.yaml), `only` (of the small airlines).
    """

    def make(name="fleet", *, change=None, weather=None, **specs):
        flights = small_flights if change is None else change(small_flights.copy())
        write_landing(tmp_path / name / "landing", landing, flights, weather)
        return with_specs(tmp_path / name, **specs)

    return make


def with_specs(home, *, tenants=None, product=str, only=SMALL):
    """Give what lies in `home` specs and a store."""
    write_specs(home / "specs", tenants or {}, product, only)
    specs = home / "specs" / "tenants"
    return Harness(home, specs, specs / "connections.yaml", home / "store")


@dataclass(frozen=True)
class Undisturbed:
    """The small airlines' fleet after two runs that nothing disturbed; to be read or copied.

    Attributes:
        then, fleet: The fleet after the run of October, and after the one of November.
        october, november: The runs.
    """

    then: Harness
    fleet: Harness
    october: FleetRun
    november: FleetRun


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, landing, small_flights):
    """Return the small airlines after two runs; made once for all workers of pytest."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # what all workers share
    made = folder / "undisturbed.pickle"
    with (folder / "undisturbed.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            found = make_undisturbed(folder / "undisturbed", landing, small_flights)
            made.write_bytes(pickle.dumps(found))
    return pickle.loads(made.read_bytes())


def make_undisturbed(home, landing, small_flights):
    """Run the small airlines' fleet twice below `home`."""
    write_landing(home / "fleet" / "landing", landing, small_flights, None)
    fleet = with_specs(home / "fleet")
    with kept_environment():
        october = fleet.run(OCTOBER, f"run-{OCTOBER}")
        then = copied(fleet, home / "then")
        november = fleet.run(NOVEMBER, f"run-{NOVEMBER}")
    return Undisturbed(then, fleet, october, november)


def copied(fleet, home):
    """Copy a fleet: its sources, specs and store."""
    shutil.copytree(fleet.home, home)
    specs = home / fleet.specs.relative_to(fleet.home)
    return Harness(home, specs, specs / "connections.yaml", home / "store")


def write_landing(folder, landing, flights, weather):
    """Write the three regions in the forms that the demo has."""
    of = {origin: rows.infer_objects() for origin, rows in flights.groupby("origin")}
    empty = flights.iloc[:0]
    (folder / "ewr/flights").mkdir(parents=True)
    (folder / "jfk").mkdir()
    (folder / "lga").mkdir()
    (folder / "ewr/flights/part-0.parquet").write_bytes(parquet(of.get("EWR", empty)))
    (folder / "jfk/flights.csv.gz").write_bytes(gzipped_csv(of.get("JFK", empty)))
    (folder / "lga/flights.sqlite").write_bytes(sqlite(of.get("LGA", empty)))
    shutil.copytree(landing / "planes", folder / "planes")
    shutil.copytree(landing / "weather", folder / "weather")
    if weather is not None:
        path = folder / "weather/observations.parquet"
        path.write_bytes(parquet(weather(pd.read_parquet(path))))


def write_specs(folder, tenants, change, only):
    """Copy the shipped product with the small airlines, and add `tenants`."""
    product = folder / "tenants" / PRODUCT
    product.mkdir(parents=True)
    text = (SHIPPED / PRODUCT / "product.yaml").read_text()
    (product / "product.yaml").write_text(change(text))
    for name in only:
        shutil.copy(SHIPPED / PRODUCT / f"{name}.yaml", product)
    for name, text in tenants.items():
        head = f"apiVersion: tenantry/v2\ntenant: {name}\n"
        (product / f"{name}.yaml").write_text(head + text)
    connections = (SHIPPED / "connections.yaml").read_text()
    home = folder / "tenants" / "connections.yaml"
    home.write_text(connections.replace("../demo/landing", "../../landing"))
