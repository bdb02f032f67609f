"""On real flights: every prediction leads to its source files, and collecting breaks no run."""

from tenantry import layout
from tenantry.lineage.backward import trace_back
from tenantry.lineage.forward import trace_forward
from tenantry.lineage.shelf import Shelf
from tenantry.models.card import read_pooled_card
from tenantry.models.pooled import read_pooled
from tenantry.places import parse_key
from tenantry.specs.load import load_product
from tests.fleet.conftest import SMALL
from tests.fleet.harness import PRODUCT
from tests.unit.retention.specs import collect

OCTOBER, NOVEMBER, DECEMBER = "2013-10-01", "2013-11-01", "2013-12-01"
STRICT = """
retention:
  {champions: 1, models: 1d, snapshots: 1d, predictions: 1d, monitoring: 1d, features: 1d, runs: 1d}
"""
DAYS_TO_DECEMBER = 334
"""From the small stores' first day."""


def with_retention(text):
    return text + STRICT


def test_lineage_is_whole_and_collecting_breaks_nothing(make_fleet):
    denies = {"zz": "pooling: {contribute: false}\nstate: active\n"}
    fleet = make_fleet(
        product=with_retention,
        only=("oo", "vx"),
        tenants=denies,
        change=lambda flights: _with_copy(flights, "VX", "ZZ"),
    )
    runs = [fleet.run(date, f"run-{date}") for date in (OCTOBER, NOVEMBER)]
    assert [run.failures() for run in runs] == [{}, {}]
    _check_backward(fleet)
    _check_pooled(fleet)
    specs = load_product(fleet.specs, PRODUCT)
    gone = collect(fleet.store, specs, DAYS_TO_DECEMBER)
    again = fleet.run(NOVEMBER, "run-again")
    assert again.shards == ["nothing_due"], "what was done stays done"
    assert fleet.run(DECEMBER, "run-december").failures() == {}
    gone |= collect(fleet.store, specs, DAYS_TO_DECEMBER + 30)
    kinds = {parse_key(key).kind for key in gone}
    assert kinds >= {"features", "snapshot", "model", "prediction", "run", "pooled"}
    states = {one.state for node in _receipts(fleet) for one in node.walk()}
    assert states <= {"there", "outside", "collected"}
    assert "collected" in states


def _with_copy(flights, code, other):
    import pandas as pd

    copy = flights[flights["carrier"] == code].assign(carrier=other)
    return pd.concat([flights, copy], ignore_index=True)


def _receipts(fleet):
    shelf = Shelf(fleet.store)
    for info in fleet.store.list(layout.product_folder(PRODUCT)):
        if info.key.endswith("/receipt.json"):
            yield trace_back(shelf, parse_key(info.key))


def _check_backward(fleet):
    nodes = list(_receipts(fleet))
    assert nodes
    for node in nodes:
        found = {}
        for one in node.walk():
            found.setdefault(one.kind, []).append(one)
        assert {"reign", "model", "snapshot", "ingest", "source", "file"} <= found.keys()
        assert {one.state for one in node.walk()} <= {"there", "outside"}
        assert node.facts["run"].startswith("run-2013")
        assert {one.facts["code_version"] for one in found["model"]} == {"test"}
        connections = {one.name.split(":")[0] for one in found["source"]}
        assert connections >= {"ewr", "jfk", "lga"}


def _check_pooled(fleet):
    """All who gave rows are proven by a snapshot; who denied is in no pooled model's lineage."""
    shelf = Shelf(fleet.store)
    reigns = read_pooled(fleet.store, PRODUCT, "default").reigns
    assert reigns
    for reign in reigns:
        key = layout.pooled_folder(PRODUCT, "default", reign.version)
        node = trace_back(shelf, parse_key(key))
        card = read_pooled_card(fleet.store, PRODUCT, "default", reign.version)
        assert {one.name for one in node.below} == set(card.contributors) <= set(SMALL)
        assert {one.state for one in node.below} == {"there"}
        assert node.facts["denied"] == ["zz"]
    for tenant in ("vx", "zz"):
        reached = set()
        for sha in fleet.store.list_folders(layout.snapshots_folder(PRODUCT, tenant)):
            if sha != "chunks":
                node = trace_forward(shelf, parse_key(layout.snapshot(PRODUCT, tenant, sha)))
                reached |= {one.kind for one in node.walk()}
        assert ("pooled" in reached) is (tenant == "vx")
