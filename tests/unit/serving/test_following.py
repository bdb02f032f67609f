"""Whoever moves a champion, servers are told; what was not said the next run says."""

import numpy as np
import pytest

from tenantry import layout
from tenantry.champions import read_champion
from tenantry.crowning import move_champion
from tenantry.digests import sha256
from tenantry.erasure.tombstones import sweep
from tenantry.errors import ObjectMissingError, StoreError
from tenantry.ledger import Entry as Line
from tenantry.ledger import Header, Outcome
from tenantry.registry.pins import pin, unpin
from tenantry.registry.rollback import Aim, find_rollback, make_rollback
from tenantry.rules import settle_rules
from tenantry.serving import follow as following
from tenantry.serving.announce import announce, take_back, why_publish
from tenantry.serving.challenger import find_challenger, write_challenger
from tenantry.serving.entries import Entry, Trial
from tenantry.serving.index import bucket_of, forget_served, read_entries, write_entries
from tenantry.serving.mend import find_unserved, rebuild_served
from tenantry.serving.publish import make_record
from tenantry.serving.records import read_record, write_record
from tenantry.serving.state import State, write_state
from tenantry.specs.model import serving_digest
from tests.unit.memory_store import MemoryStore
from tests.unit.registry.made import ORDER, PRODUCT, day, make_model, make_tenant, version
from tests.unit.serving.product import a_spec

SPEC = a_spec()


@pytest.fixture
def store():
    """A tenant with three models that reigned, served by the last one."""
    made = MemoryStore()
    make_tenant(made, (0, 31, 62))
    tell(made)
    return made


def tell(store, spec=SPEC):
    """Tell servers of the champion, as a run of day 62 does."""
    champion = read_champion(store, PRODUCT, "ua")
    card = make_model(store, 62)
    record = make_record(spec, card, settle_rules(spec, None), packed="p")
    entry = Entry(
        version=champion.current.version,
        record=write_record(store, record),
        online=write_state(store, PRODUCT, "ua", empty_state(62)),
        spec=serving_digest(spec),
        published=day(62),
        as_of=day(62),
        counter=champion.counter,
    )
    write_entries(store, PRODUCT, {"ua": entry})
    return entry


def try_beside(store):
    """Let servers try a challenger, too."""
    entry = read_entries(store, PRODUCT)["ua"]
    trial = Trial(version="v", record="r", share=0.5, mode="canary")
    write_entries(store, PRODUCT, {"ua": entry.model_copy(update={"trial": trial})})


def test_a_rollback_ends_what_was_tried_and_a_pin_keeps_it(store):
    try_beside(store)
    pin(store, PRODUCT, "ua", order=ORDER)
    held = read_entries(store, PRODUCT)["ua"]
    assert (held.pinned, held.trial.version) == (True, "v")
    unpin(store, PRODUCT, "ua", order=ORDER)
    make_rollback(store, PRODUCT, find_rollback(store, PRODUCT, "ua", Aim(), order=ORDER))
    assert read_entries(store, PRODUCT)["ua"].trial is None


def trying(version="latest"):
    """The spec, with a challenger."""
    return a_spec(serving={"enabled": True, "challenger": {"version": version, "share": 0.1}})


def test_the_latest_challenger_is_the_newest_that_never_reigned(store):
    def latest():
        return find_challenger(store, trying(), read_champion(store, PRODUCT, "ua"))

    make_model(store, 20)  # older than the champion of day 62
    assert latest() == ""
    make_model(store, 70)
    make_model(store, 80)
    assert latest() == version(80)
    make_rollback(store, PRODUCT, find_rollback(store, PRODUCT, "ua", Aim(), order=ORDER))
    assert latest() == version(80), "what was rolled back is not tried again"


def test_a_named_challenger_is_tried_unless_it_reigns(store):
    champion = read_champion(store, PRODUCT, "ua")
    assert find_challenger(store, trying(version(31)), champion) == version(31)
    assert find_challenger(store, trying(version(62)), champion) == ""
    assert find_challenger(store, SPEC, champion) == ""


def test_a_challengers_record_names_its_packed_file(store):
    spec, card = trying(), make_model(store, 80)
    store.put(f"{layout.model_folder(PRODUCT, 'ua', card.version)}packed.bin", b"packed")
    sha = write_challenger(store, spec, card.version)
    record = read_record(store, PRODUCT, "ua", sha)
    assert (record.version, record.model.packed) == (card.version, sha256(b"packed"))
    assert write_challenger(store, spec, version(99)) == ""


def empty_state(number):
    none = np.zeros(0, dtype=np.int64)
    micros = int(day(number).timestamp() * 1_000_000)
    return State(micros, 0, 0, none.astype(np.uint64), none, none, none)


def told(store):
    return read_entries(store, PRODUCT)["ua"]


def roll_back(store):
    return make_rollback(store, PRODUCT, find_rollback(store, PRODUCT, "ua", Aim(), order=ORDER))


def test_servers_follow_a_rollback_by_the_spec_as_it_was_published(store):
    before = told(store)
    roll_back(store)
    after = told(store)
    record = read_record(store, PRODUCT, "ua", after.record)
    assert (after.version, record.version, record.model.packed) == (version(31), version(31), "")
    assert record.model.skops == make_model(store, 31).file_digest
    assert (after.online, after.as_of, after.spec) == (before.online, before.as_of, before.spec)
    assert after.counter == read_champion(store, PRODUCT, "ua").counter
    assert record.features == read_record(store, PRODUCT, "ua", before.record).features


def test_servers_know_that_a_champion_is_pinned_and_that_it_is_not_any_more(store):
    pin(store, PRODUCT, "ua", order=ORDER)
    assert told(store).pinned
    unpin(store, PRODUCT, "ua", order=ORDER)
    assert not told(store).pinned


def test_a_tenant_that_is_not_served_stays_so():
    store = MemoryStore()
    make_tenant(store, (0, 31))
    roll_back(store)
    assert read_entries(store, PRODUCT) == {}


def test_an_order_is_done_although_servers_can_only_be_told_by_the_next_run(store, caplog):
    store.delete(layout.serving_record(PRODUCT, "ua", told(store).record))
    assert roll_back(store).version == version(31)
    assert told(store).version == version(62)
    assert "with the next run" in caplog.text
    champion = read_champion(store, PRODUCT, "ua")
    assert "before it moved" in why_publish(SPEC, champion, told(store), moves=False)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"version": "v"}, "as the pointer was before it moved"),
        ({"pinned": True}, "as the pointer was before it moved"),
        ({"counter": 1}, ""),
        ({"spec": "other"}, "its spec changed"),
        ({"retired": True}, "its spec changed"),
        ({"online": ""}, "lack the past"),
    ],
)
def test_a_plan_publishes_where_index_pointer_and_spec_differ(store, change, why):
    champion, entry = read_champion(store, PRODUCT, "ua"), told(store)
    said = why_publish(SPEC, champion, entry.model_copy(update=change), moves=False)
    assert (why in said) if why else not said


def test_a_plan_publishes_nothing_without_a_model_or_where_nothing_is_served(store):
    champion = read_champion(store, PRODUCT, "ua")
    off = a_spec(serving={"enabled": False})
    assert why_publish(SPEC, None, None, moves=False) == ""
    assert why_publish(off, champion, None, moves=True) == ""
    assert "nothing of it yet" in why_publish(SPEC, champion, None, moves=False)
    assert "decides" in why_publish(SPEC, None, None, moves=True)


def line(stage, **facts):
    online = Outcome(stage="ingest", status="done", facts={"online": "0" * 64})
    return Line(tenant="ua", outcomes=(online, Outcome(stage=stage, status="done", facts=facts)))


def header(stage):
    return Header(run="r", product=PRODUCT, as_of=day(70), shard="s", stage=stage)


def test_a_shard_tells_what_its_workers_published(store):
    facts = {"serves": version(62), "record": "f" * 64, "counter": 9, "pinned": False}
    announce(store, header("predict"), [line("predict", **facts)], {"ua": SPEC})
    entry = told(store)
    assert (entry.record, entry.online, entry.counter) == ("f" * 64, "0" * 64, 9)
    assert entry.as_of == day(70)


@pytest.mark.parametrize("record", ["e" * 64, "../x"])
def test_a_shard_tells_what_is_tried_as_the_spec_says(store, record):
    facts = {"serves": version(62), "record": "f" * 64, "counter": 9, "pinned": False}
    tried = {"tries": version(80), "trial_record": record}
    announce(store, header("predict"), [line("predict", **facts, **tried)], {"ua": trying()})
    trial = Trial(version=version(80), record="e" * 64, share=0.1, mode="shadow")
    assert told(store).trial == (trial if record == "e" * 64 else None)


@pytest.mark.parametrize(
    "facts",
    [{}, {"serves": "v"}, {"serves": "v", "record": "../x", "counter": 9},
     {"serves": "v", "record": "f" * 64, "counter": "many"}],
)  # fmt: skip
def test_what_a_worker_says_is_not_believed_to_be_more_than_it_can_be(store, facts):
    before = told(store)
    announce(store, header("predict"), [line("predict", **facts)], {"ua": SPEC})
    assert told(store) == before


def test_servers_answer_no_more_for_a_retired_tenant(store):
    announce(store, header("promote"), [line("promote", retired=True)], {"ua": SPEC})
    assert told(store).retired


def test_a_plan_takes_back_what_nobody_said(store):
    retired = a_spec(state="retired")
    take_back(store, read_entries(store, PRODUCT), {"ua": retired}, lambda _: False)
    assert not told(store).retired
    take_back(store, read_entries(store, PRODUCT), {"ua": retired}, lambda _: True)
    assert told(store).retired
    take_back(store, read_entries(store, PRODUCT), {}, lambda _: True)
    assert told(store).retired
    off = a_spec(serving={"enabled": False})
    take_back(store, read_entries(store, PRODUCT), {"ua": off}, lambda _: False)
    assert read_entries(store, PRODUCT) == {}


def test_nothing_published_tells_of_an_erased_tenant(store):
    forget_served(store, PRODUCT, "ua")
    sweep(store, PRODUCT, ["ua"])
    assert read_entries(store, PRODUCT) == {}
    assert not [key for key in store.objects if "serving/" in key and "/ua/" in key]


def test_reindex_makes_a_lost_index_anew(store):
    assert find_unserved(store, PRODUCT) == {}
    entry = told(store)
    for key in [key for key in store.objects if key.startswith(layout.serving_folder(PRODUCT))]:
        store.delete(key)
    assert find_unserved(store, PRODUCT) == {"ua": "servers are not told of it"}
    rebuild_served(store, PRODUCT)
    assert told(store) == entry


def test_a_tenant_whose_past_is_damaged_does_not_keep_others_from_the_index(store):
    entry = told(store)
    for key in [key for key in store.objects if "/ua/" in key]:
        content = b"damaged" if key.endswith(".online") else store.get(key).content
        store.put(key.replace("/ua/", "/aa/"), content)
    store.delete(layout.serving_bucket(PRODUCT, bucket_of("ua")))
    assert find_unserved(store, PRODUCT).keys() == {"aa", "ua"}
    rebuild_served(store, PRODUCT)
    assert read_entries(store, PRODUCT) == {"ua": entry}


def test_a_damaged_pointer_is_told_and_keeps_no_other_tenant_from_the_index(store):
    entry = told(store)
    store.put(layout.champion(PRODUCT, "aa"), b"{}")
    store.put(layout.serving_record(PRODUCT, "aa", entry.record), b"{}")
    store.delete(layout.serving_bucket(PRODUCT, bucket_of("ua")))
    assert "aa/champion.json is not a Champion" in find_unserved(store, PRODUCT)["aa"]
    rebuild_served(store, PRODUCT)
    assert read_entries(store, PRODUCT) == {"ua": entry}


def test_reindex_makes_an_index_that_missed_a_rollback_right(store, monkeypatch):
    monkeypatch.setattr("tenantry.registry.rollback.follow", lambda *_: None)
    roll_back(store)
    assert "earlier state" in find_unserved(store, PRODUCT)["ua"]
    rebuild_served(store, PRODUCT)
    assert told(store).version == version(31)
    assert find_unserved(store, PRODUCT) == {}


def test_a_lost_index_and_a_missed_rollback_are_made_right_together(store, monkeypatch):
    monkeypatch.setattr("tenantry.registry.rollback.follow", lambda *_: None)
    roll_back(store)
    store.delete(layout.serving_bucket(PRODUCT, bucket_of("ua")))
    rebuild_served(store, PRODUCT)
    assert told(store).version == version(31)


def test_reindex_takes_back_who_has_no_model(store):
    store.delete(layout.champion(PRODUCT, "ua"))
    assert "no model reigns" in find_unserved(store, PRODUCT)["ua"]
    rebuild_served(store, PRODUCT)
    assert read_entries(store, PRODUCT) == {}


def test_a_record_is_what_its_name_says_and_of_that_tenant(store):
    sha = told(store).record
    key = layout.serving_record(PRODUCT, "ua", sha)
    other = layout.serving_record(PRODUCT, "vx", sha)
    store.put(other, store.get(key).content)
    with pytest.raises(StoreError, match="another tenant"):
        read_record(store, PRODUCT, "vx", sha)
    store.put(key, b"{}")
    with pytest.raises(StoreError, match="another digest"):
        read_record(store, PRODUCT, "ua", sha)
    with pytest.raises(ObjectMissingError):
        read_record(store, PRODUCT, "ua", "0" * 64)


def test_the_pointer_that_moved_last_counts_however_late_a_run_ends(store):
    roll_back(store)
    facts = {"serves": version(62), "record": "f" * 64, "counter": 3, "pinned": False}
    announce(store, header("predict"), [line("predict", **facts)], {"ua": SPEC})
    assert told(store).version == version(31)
    assert told(store).online == "0" * 64


def test_a_champion_that_moved_again_is_followed_once(store):
    champion = move_champion(
        store, PRODUCT, "ua", lambda it: it.model_copy(update={"counter": it.counter + 1})
    )
    assert following.follow(store, PRODUCT, "ua", champion).counter == champion.counter
    before = dict(store.objects)
    following.follow(store, PRODUCT, "ua", champion)
    assert store.objects == before
