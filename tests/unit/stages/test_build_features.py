"""The stage turns a snapshot into the one table that its rows give."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tenantry import layout
from tenantry.contract import CheckedRows
from tenantry.errors import ObjectMissingError
from tenantry.features.tables import read_features
from tenantry.jobs import Job
from tenantry.ledger import Entry, Outcome
from tenantry.parquet import from_parquet
from tenantry.quality import Quality
from tenantry.snapshots import write_snapshot
from tenantry.sources.connections import Connection, Connections
from tenantry.specs.load import load_product
from tenantry.stages.build_features import build_features
from tenantry.stages.ingest import ingest
from tests.unit.features.conftest import make_rows, make_spec
from tests.unit.memory_store import MemoryStore

AS_OF = datetime(2013, 10, 1, tzinfo=UTC)
SPEC = make_spec(
    {"temp": {"kind": "numeric"}, "dest": {"kind": "categorical"}},
    pooled={
        "temp": {"kind": "missing", "column": "temp"},
        "late": {"kind": "history", "of": "label", "over": "7d"},
    },
)


def make_job(store, snapshot, spec=SPEC):
    done = Outcome(stage="ingest", status="done", facts={"snapshot": snapshot})
    entry = Entry(tenant=spec.tenant, outcomes=(done,))
    return Job("run-1", AS_OF, spec, entry, store, Connections(connections={}))


def ingested(store, rows, spec=SPEC):
    """Keep rows as a snapshot, as ingest does."""
    quality = Quality(rows=len(rows), labelled=int(rows["label"].notna().sum()))
    return write_snapshot(store, spec, CheckedRows(rows, rows.head(0), quality))


@pytest.fixture
def rows():
    minutes = np.arange(100) * 720
    dest = pd.Series(["LAX", "SFO"] * 50, dtype="str")
    return make_rows(minutes, label=np.tile([1.0, 0.0], 50), temp=minutes / 100, dest=dest)


def test_a_table_is_built_from_the_snapshot(rows):
    store = MemoryStore()
    snapshot = ingested(store, rows)
    result = build_features(make_job(store, snapshot))
    sha = result.facts["features"]
    assert result.status == "done"
    assert result.message == "100 rows, 4 features"
    assert result.facts == {"features": sha, "rows": 100}
    assert result.keys == (layout.features("arrival-delay", "ua", sha),)
    table = read_features(store, "arrival-delay", "ua", sha)
    assert list(table)[5:] == ["pooled.temp", "late", "temp", "dest"]
    assert build_features(make_job(store, snapshot)) == result


def test_features_without_any_value_are_named(rows):
    store = MemoryStore()
    empty = rows.assign(temp=np.nan, dest=pd.Series([None] * 100, dtype="str"))
    result = build_features(make_job(store, ingested(store, empty)))
    assert result.status == "done"
    assert result.message == "100 rows, 4 features; without any value: temp, dest"


def test_a_missing_snapshot_is_an_error():
    with pytest.raises(ObjectMissingError):
        build_features(make_job(MemoryStore(), "0" * 64))


def test_the_products_features_are_built_from_real_flights(landing):
    fleet = load_product(Path("tenant_specs"), "arrival-delay")
    names = {"ewr": "ewr", "jfk": "jfk", "weather": "weather", "planes": "planes"}
    places = {name: Connection(url=str(landing / folder)) for name, folder in names.items()}
    places["lga"] = Connection(url=f"sqlite:///{landing}/lga/flights.sqlite")
    store, spec = MemoryStore(), fleet.specs["vx"]
    job = Job("run-1", AS_OF, spec, Entry(tenant="vx"), store, Connections(connections=places))
    snapshot = str(ingest(job).facts["snapshot"])
    result = build_features(make_job(store, snapshot, spec))
    features = {*spec.features, *spec.pooled.features}
    assert result.message == f"3,763 rows, {len(features)} features"
    table = from_parquet(store.get(result.keys[0]).content)
    present = table[list(features)].notna().mean()
    hours = ["delay_3h", "origin_delay_3h"]  # nothing of so small an airline may have landed
    assert (present.drop(hours) > 0.5).all()
    assert (present[hours] > 0.1).all()
