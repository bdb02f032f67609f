"""Served as predicted: single rows of real flights get the batch's probabilities."""

import asyncio
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from tenantry import layout
from tenantry.columns import KNOWN_AT
from tenantry.features.tables import read_features
from tenantry.models.files import load_model
from tenantry.packed.load import load_packed
from tenantry.registry.orders import Order
from tenantry.registry.pins import pin
from tenantry.registry.rollback import Aim, find_rollback, make_rollback
from tenantry.rules import read_rules
from tenantry.scoring import predict_rows, score_rows
from tenantry.serving.app import ServerOptions, Serving
from tenantry.serving.index import read_entries
from tenantry.serving.online import Online, prepare
from tenantry.serving.records import read_record
from tenantry.serving.state import read_state
from tenantry.snapshots import read_snapshot
from tenantry.specs.load import load_product
from tests.fleet.conftest import NOVEMBER, copied
from tests.fleet.harness import PRODUCT
from tests.unit.serving.served import Client

ORDER = Order("ann", "late flights missed", datetime(2026, 11, 24, tzinfo=UTC))
CARRIERS = ("f9", "fl", "vx")
ROWS = 40


@pytest.fixture(scope="module")
def fleet(undisturbed):
    return undisturbed.fleet


def loaded(store, tenant):
    """A tenant's entry, its record and what computes its features."""
    entry = read_entries(store, PRODUCT)[tenant]
    record = read_record(store, PRODUCT, tenant, entry.record)
    return entry, record, Online(record, read_state(store, PRODUCT, tenant, entry.online))


def raw_fields(row, record):
    """What a client sends: what it knows of the flight, and not the weather."""
    joined = {name for join in record.joins for name in join.columns}
    known = {name: value for name, value in row.items() if name in record.columns}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in known.items()
        if not (name in joined or name in record.bound or pd.isna(value))
    }


@pytest.mark.parametrize("tenant", CARRIERS)
def test_a_flight_that_is_asked_for_gets_the_probability_of_the_batch(fleet, undisturbed, tenant):
    store, line = fleet.store, undisturbed.november.entries[tenant]
    entry, record, online = loaded(store, tenant)
    spec = load_product(fleet.specs, PRODUCT).specs[tenant]
    table = read_features(store, PRODUCT, tenant, line.fact("build_features", "features"))
    rows = read_snapshot(store, PRODUCT, tenant, line.fact("ingest", "snapshot"))
    recent = table[table[KNOWN_AT] > pd.Timestamp(entry.as_of) - record.back].tail(ROWS)
    assert len(recent)
    model, _ = load_model(store, PRODUCT, tenant, entry.version)
    expected = predict_rows(model, recent, spec)
    packed = load_packed(
        store, PRODUCT, tenant, entry.version, file_digest=record.model.packed
    )  # fmt: skip
    key = list(spec.key)
    found = []
    for wanted in recent[key].to_dict("records"):
        same = (rows[key] == pd.Series(wanted)).all(axis=1)
        row = rows[same].iloc[0].to_dict()
        own, shared = online.features_of(raw_fields(row, record), row[KNOWN_AT].to_pydatetime())
        found.append(packed.predict_row(own, shared))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("tenant", CARRIERS)
def test_a_server_answers_with_what_the_batch_writes_of_the_same_rows(fleet, undisturbed, tenant):
    """Run, publish, serve: asked without weather, and told what `predict` would write."""
    store, line = fleet.store, undisturbed.november.entries[tenant]
    entry, record, _ = loaded(store, tenant)
    spec = load_product(fleet.specs, PRODUCT).specs[tenant]
    table = read_features(store, PRODUCT, tenant, line.fact("build_features", "features"))
    rows = read_snapshot(store, PRODUCT, tenant, line.fact("ingest", "snapshot"))
    recent = table[table[KNOWN_AT] > pd.Timestamp(entry.as_of) - record.back].tail(ROWS)
    model, _ = load_model(store, PRODUCT, tenant, entry.version)
    written = score_rows(model, recent, spec, read_rules(store, spec, entry.version))
    asked = recent[list(spec.key)].merge(rows, on=list(spec.key), how="left")
    answer = ask(store, f"/v1/models/{PRODUCT}.{tenant}:predict", record, asked)
    assert answer["model_version"] == entry.version
    told = pd.DataFrame(answer["predictions"])
    np.testing.assert_allclose(told["probability"], written["probability"], rtol=0, atol=1e-12)
    assert told["decision"].tolist() == written["decision"].tolist()


def ask(store, path, record, rows):
    """Ask a server in this process for rows, without a socket."""

    async def run():
        serving = Serving(store, prepare, ServerOptions(poll_seconds=3600.0))
        async with serving.running():
            body = {"instances": [raw_fields(row, record) for row in rows.to_dict("records")]}
            answer = await Client(serving).ask("POST", path, body)
            assert answer.status == 200, answer.body
        return answer.json

    return asyncio.run(run())


def test_servers_know_every_tenant_that_has_a_model(fleet):
    entries = read_entries(fleet.store, PRODUCT)
    champions = {
        tenant
        for tenant in fleet.store.list_folders(layout.product_folder(PRODUCT))
        if fleet.store.find(layout.champion(PRODUCT, tenant))
    }
    assert entries.keys() == champions


def test_servers_follow_a_rollback_and_a_pin_and_the_next_run_agrees(fleet, tmp_path):
    copy = copied(fleet, tmp_path / "fleet")
    before = read_entries(copy.store, PRODUCT)["vx"]
    move = find_rollback(copy.store, PRODUCT, "vx", Aim(), order=ORDER)
    restored = make_rollback(copy.store, PRODUCT, move)
    after, record, _ = loaded(copy.store, "vx")
    assert (after.version, record.version) == (restored.version, restored.version)
    assert (after.online, after.as_of) == (before.online, before.as_of)
    pin(copy.store, PRODUCT, "vx", order=ORDER)
    assert read_entries(copy.store, PRODUCT)["vx"].pinned
    copy.enter()
    (tmp_path / "files").mkdir()
    made = copy.plan(NOVEMBER, "run-9", tmp_path / "files", tenants="vx")
    assert made == ["nothing_due"]


def test_what_a_command_that_died_did_not_say_the_next_run_says(fleet, tmp_path, monkeypatch):
    copy = copied(fleet, tmp_path / "fleet")
    monkeypatch.setattr("tenantry.registry.rollback.follow", lambda *_: None)
    move = find_rollback(copy.store, PRODUCT, "vx", Aim(), order=ORDER)
    restored = make_rollback(copy.store, PRODUCT, move)
    assert read_entries(copy.store, PRODUCT)["vx"].version == move.replaced.version
    run = copy.run(NOVEMBER, "run-9", tenants="vx")
    (due,) = run.entries["vx"].due
    assert due.action == "publish"
    assert move.replaced.version in due.reason
    assert read_entries(copy.store, PRODUCT)["vx"].version == restored.version
