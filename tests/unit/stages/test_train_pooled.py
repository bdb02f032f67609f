"""The pooled model of a zone: trained when due, from those who allow it, whoever fails."""

import logging
from datetime import timedelta

import pandas as pd
import pytest

from tenantry import layout
from tenantry.digests import sha256
from tenantry.jobs import Job
from tenantry.ledger import Entry
from tenantry.models.card import read_pooled_card
from tenantry.models.pooled import read_pooled
from tenantry.origins import list_origins, read_origin
from tenantry.pooling import find_reasons, split_zones
from tenantry.sources.connections import Connection, Connections
from tenantry.stages.ingest import ingest
from tenantry.stages.train_pooled import train_pooled
from tests.unit.memory_store import MemoryStore
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table

PRODUCT = "arrival-delay"
TENANTS = ("aa", "b6", "ua")
COLUMNS = {
    "carrier": {"type": "category"},
    "number": {"type": "integer"},
    "departs": {"type": "time"},
    "arr_delay": {"type": "number"},
    "wind": {"type": "number"},
    "distance": {"type": "number"},
    "dest": {"type": "category"},
    "origin": {"type": "category"},
}


def spec_of(tenant, **changes):
    return make_spec(tenant, **({"contract": {"columns": COLUMNS}} | changes))


def flights(tenant, until=AS_OF, rows=700):
    table = make_table(tenant, rows=rows)
    late = table["label"].fillna(0) * 30
    return pd.DataFrame(
        {
            "carrier": tenant.upper(),
            "number": table["number"].astype("int64"),
            "departs": table["event_time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "arr_delay": late,
            **{name: table[name] for name in ("wind", "distance", "dest", "origin")},
        }
    )


@pytest.fixture
def landing(tmp_path):
    def write(tenants=TENANTS, change=lambda rows: rows):
        rows = pd.concat([flights(name) for name in tenants], ignore_index=True)
        change(rows).to_csv(tmp_path / "rows.csv", index=False)
        return Connections(connections={"here": Connection(url=str(tmp_path))})

    return write


@pytest.fixture
def store():
    return MemoryStore()


def run(specs, store, connections, as_of=AS_OF):
    return train_pooled(
        specs, as_of, run="r1", store=store, connections=connections, code_version="image@1"
    )


def contents(store):
    return {key: kept.content for key, kept in store.objects.items()}


def test_all_who_allow_it_train_one_model(landing, store):
    outcome = run([spec_of(name) for name in TENANTS], store, landing())
    card = read_pooled_card(store, PRODUCT, "default", outcome.zones["default"])
    reign = read_pooled(store, PRODUCT, "default").at(AS_OF)
    assert set(card.contributors) == set(outcome.contributors) == set(TENANTS)
    assert (reign.version, reign.digest, reign.run) == (card.version, card.file_digest, "r1")
    assert (card.as_of, card.code_version, card.failures) == (AS_OF, "image@1", {})
    folder = layout.pooled_folder(PRODUCT, "default", card.version)
    assert sha256(store.objects[f"{folder}model.skops"].content) == card.file_digest
    packed = sha256(store.objects[f"{folder}packed.bin"].content)
    assert reign.packed == card.packed_digest == packed
    assert not card.not_packed
    assert len(card.folds) == 4
    assert "rows of 3 tenants (there was none)" in outcome.message


def test_what_a_tenant_contributed_is_proven_by_the_fingerprint_of_its_snapshot(landing, store):
    specs = [spec_of(name) for name in TENANTS]
    connections = landing()
    outcome = run(specs, store, connections)
    card = read_pooled_card(store, PRODUCT, "default", outcome.zones["default"])
    assert set(card.fingerprints) == set(TENANTS)
    for spec in specs:
        for as_of in (AS_OF, AS_OF - timedelta(days=7)):
            job = Job("r1", as_of, spec, Entry(tenant=spec.tenant), store, connections)
            snapshot = str(ingest(job).facts["snapshot"])
            (listed,) = list_origins(store, PRODUCT, spec.tenant, snapshot)
            found = read_origin(store, listed.key).fingerprint
            assert (found == card.fingerprints[spec.tenant]) is (as_of == AS_OF)


def test_a_fresh_one_stays_and_not_a_byte_changes(landing, store):
    specs = [spec_of(name) for name in TENANTS]
    first = run(specs, store, landing())
    before = contents(store)
    again = run(specs, store, Connections(), AS_OF + timedelta(days=27))
    assert again.zones == first.zones
    assert "is fresh" in again.message
    assert contents(store) == before


def test_two_stores_get_the_same_bytes(landing):
    stores = [MemoryStore(), MemoryStore()]
    run([spec_of(name) for name in TENANTS], stores[0], landing())
    run([spec_of(name) for name in reversed(TENANTS)], stores[1], landing(TENANTS[::-1]))
    assert contents(stores[0]) == contents(stores[1])


@pytest.mark.parametrize(
    "change", ["age", "definition", "denied", "card.json", "model.skops", "fold-"]
)
def test_it_is_due_again(landing, store, change):
    specs = [spec_of(name) for name in TENANTS]
    first = run(specs, store, landing())
    as_of = AS_OF
    if change == "age":
        as_of = AS_OF + timedelta(days=28)
    elif change == "definition":
        smaller = specs[0].pooled.model_copy(update={"parameters": {"max_iter": 5}})
        specs = [spec.model_copy(update={"pooled": smaller}) for spec in specs]
    elif change == "denied":
        specs[1] = spec_of("b6", pooling={"contribute": False})
    else:
        folder = layout.pooled_folder(PRODUCT, "default", first.zones["default"])
        store.delete(next(key for key in store.objects if key.startswith(folder + change)))
    again = run(specs, store, landing(), as_of)
    assert "trained on" in again.message
    assert (again.zones != first.zones) == (change in ("age", "definition", "denied"))
    assert read_pooled(store, PRODUCT, "default").at(as_of).version == again.zones["default"]


def test_a_past_moment_gets_its_own_and_the_present_keeps_its(landing, store):
    specs = [spec_of(name) for name in TENANTS]
    now = run(specs, store, landing())
    then = AS_OF - timedelta(days=60)
    past = run(specs, store, landing(), then)
    pointer = read_pooled(store, PRODUCT, "default")
    assert pointer.at(AS_OF).version == now.zones["default"]
    assert pointer.at(then).version == past.zones["default"]


def test_denying_is_the_same_as_not_being_there(landing):
    stores = [MemoryStore(), MemoryStore()]
    denied = spec_of("b6", pooling={"contribute": False})
    with_denied = run([spec_of("aa"), denied, spec_of("ua")], stores[0], landing())
    without = run([spec_of("aa"), spec_of("ua")], stores[1], landing(["aa", "ua"]))
    assert with_denied.zones == without.zones
    assert with_denied.contributors == without.contributors
    card = read_pooled_card(stores[0], PRODUCT, "default", with_denied.zones["default"])
    assert card.denied == with_denied.denied == ("b6",)
    assert "b6" not in card.contributors


@pytest.mark.parametrize("poison", ["text", "missing", "no labels"])
def test_a_tenant_that_fails_is_left_out_with_the_reason(landing, poison):
    def harm(rows):
        mine = rows["carrier"] == "B6"
        if poison == "missing":
            return rows[~mine]
        if poison == "no labels":
            return rows.assign(arr_delay=rows["arr_delay"].mask(mine))
        return rows.assign(wind=rows["wind"].astype("object").mask(mine, "calm"))

    stores = [MemoryStore(), MemoryStore()]
    outcome = run([spec_of(name) for name in TENANTS], stores[0], landing(change=harm))
    without = run([spec_of("aa"), spec_of("ua")], stores[1], landing(["aa", "ua"]))
    assert outcome.zones == without.zones
    assert list(outcome.failures) == ["b6"]
    assert outcome.failures["b6"]
    assert "calm" not in str(outcome.failures)
    assert "1 left out: b6" in outcome.message


def test_zones_pool_apart(landing, store):
    specs = [spec_of("aa"), spec_of("b6", residency={"zone": "eu"}), spec_of("ua")]
    outcome = run(specs, store, landing())
    cards = {
        zone: read_pooled_card(store, PRODUCT, zone, version)
        for zone, version in outcome.zones.items()
    }
    assert {zone: set(card.contributors) for zone, card in cards.items()} == {
        "default": {"aa", "ua"},
        "eu": {"b6"},
    }


def test_when_all_fail_the_last_one_stays_in_use(landing, store):
    specs = [spec_of(name) for name in TENANTS]
    first = run(specs, store, landing())
    later = run(specs, store, Connections(), AS_OF + timedelta(days=40))
    assert later.zones == first.zones
    assert set(later.failures) == set(TENANTS)
    assert "stays in use" in later.message


def test_one_that_holds_rows_of_who_denies_does_not_stay_in_use(landing, store):
    run([spec_of(name) for name in TENANTS], store, landing())
    denying = [spec_of(name, pooling={"contribute": False}) for name in TENANTS]
    outcome = run(denying, store, landing())
    assert outcome.zones == {}
    words = "default: no tenant allows pooling; the pooled model of 2013-10-01 is deposed"
    assert outcome.message == words
    (zone,) = split_zones(denying, AS_OF)
    assert find_reasons([zone], denying, store) == {}


@pytest.mark.parametrize("state", ["paused", "retired"])
def test_paused_and_retired_tenants_do_not_contribute(landing, store, state):
    outcome = run([spec_of("aa"), spec_of("b6", state=state), spec_of("ua")], store, landing())
    assert set(outcome.contributors) == {"aa", "ua"}


def test_what_is_not_known_yet_changes_nothing(landing):
    as_of = AS_OF - timedelta(days=50)

    def harm(rows):
        later = rows["departs"] > (as_of - timedelta(hours=36)).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows = rows.assign(arr_delay=rows["arr_delay"].mask(later, 999.0))
        future = rows["departs"] > as_of.strftime("%Y-%m-%dT%H:%M:%SZ")
        return rows.assign(wind=rows["wind"].mask(future, 1e6), dest=rows["dest"].mask(future, "X"))

    stores = [MemoryStore(), MemoryStore()]
    specs = [spec_of(name) for name in TENANTS]
    run(specs, stores[0], landing(), as_of)
    run(specs, stores[1], landing(change=harm), as_of)
    assert contents(stores[0]) == contents(stores[1])


def test_a_line_is_logged_for_each_model(landing, store, caplog):
    with caplog.at_level(logging.INFO, "tenantry.stages.train_pooled"):
        run([spec_of(name) for name in TENANTS], store, landing())
    assert [record.stage for record in caplog.records] == ["train_pooled"]


def in_region(tenant, region, *, zone="eu", strict=False, **changes):
    residency = {"zone": zone, "strict": strict}
    return spec_of(tenant, region=region, residency=residency, **changes)


def test_a_zone_of_two_regions_gives_the_same_model_in_both(landing, store):
    specs = [in_region("aa", "eu-1"), in_region("b6", "eu-2"), in_region("ua", "eu-1")]
    other = MemoryStore()
    first, second = run(specs, store, landing()), run(specs[::-1], other, landing())
    assert first == second
    assert contents(store) == contents(other)
    assert set(first.contributors) == set(TENANTS)


def test_strict_tenants_are_left_out_of_a_pool_of_several_regions_and_named(landing, store):
    kept = [in_region("aa", "eu-1"), in_region("ua", "eu-1")]
    strict = in_region("b6", "eu-1", strict=True)
    alone = run([*kept, strict], store, landing())
    assert (set(alone.contributors), alone.strict) == (set(TENANTS), ())
    specs = [*kept, strict, in_region("oo", "eu-2", strict=True)]
    outcome = run(specs, store, landing())
    card = read_pooled_card(store, PRODUCT, "eu", outcome.zones["eu"])
    assert set(card.contributors) == set(card.fingerprints) == {"aa", "ua"}
    assert card.strict == outcome.strict == ("b6", "oo")
    assert "no longer pooled: b6" in outcome.message
    again = run(specs, store, landing())
    assert (again.strict, again.contributors) == (("b6", "oo"), {})


def test_a_retired_region_makes_no_pool_span_regions(landing, store):
    specs = [in_region("aa", "eu-1", strict=True), in_region("ua", "eu-1")]
    specs.append(in_region("oo", "eu-2", state="retired"))
    assert set(run(specs, store, landing()).contributors) == {"aa", "ua"}


def test_another_zone_contributes_nothing(landing, store):
    specs = [in_region("aa", "eu-1"), in_region("b6", "us", zone="us"), in_region("ua", "eu-1")]
    outcome = run(specs, store, landing())
    cards = {
        zone: read_pooled_card(store, PRODUCT, zone, outcome.zones[zone]) for zone in outcome.zones
    }
    assert {zone: set(card.contributors) for zone, card in cards.items()} == {
        "eu": {"aa", "ua"},
        "us": {"b6"},
    }
