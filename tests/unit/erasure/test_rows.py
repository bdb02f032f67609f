"""Rows of a data subject go from everything, the others stay as they were."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantry import layout
from tenantry.champions import read_champion
from tenantry.crowning import crown
from tenantry.digests import sha256
from tenantry.erasure.completion import complete_erasures
from tenantry.erasure.orders import read_orders
from tenantry.erasure.rows import scrub_rows
from tenantry.erasure.subject import erase_rows, preview_rows, read_keys
from tenantry.errors import ErasureError
from tenantry.events import list_events
from tenantry.models.pooled import read_pooled
from tenantry.parquet import from_parquet, to_parquet
from tenantry.receipts import read_receipts
from tenantry.served import ServedReceipt
from tenantry.serving.entries import Entry
from tenantry.serving.index import read_entries, write_entries
from tenantry.times import Window
from tests.unit.answered import answer
from tests.unit.erasure.killed import Killed, KillingStore
from tests.unit.erasure.made import (
    EARLY,
    LATE,
    PRODUCT,
    WALL,
    ZONE,
    Made,
    contents,
    fresh_store,
    pooled_version,
    spec_of,
)

SPEC = spec_of("acme")
ACTIVE = ("acme", "bolt")
SPECS = {name: spec_of(name) for name in ACTIVE}


@pytest.fixture
def store():
    return fresh_store()


def order(store, columns=("guest",), values=(("guest-0",),), *, now=False):
    keys = read_keys(SPEC, columns, values)
    given = {"who": "ann", "why": "asked", "when": WALL}
    return erase_rows(store, SPEC, keys, active=ACTIVE, now=now, **given)


def frames(store, folder, ending=".parquet"):
    found = store.list(f"tenants/{PRODUCT}/acme/{folder}")
    keys = [info.key for info in found if info.key.endswith(ending)]
    return {key: from_parquet(store.get(key).content) for key in keys}


def numbers(guest):
    """The keys of a guest's visits."""
    return {float(number + 1) for number in range(120) if number % 5 == guest}


def holds(frame, guest=0):
    return not numbers(guest).isdisjoint(frame["number"])


def test_rows_are_found_by_any_column_of_the_contract(store):
    found = preview_rows(store, SPEC, read_keys(SPEC, ["guest"], [["guest-0"]]), ACTIVE)
    assert found.rows == 24
    assert len(found.snapshots) == len(found.models) == 2
    assert found.pooled == tuple(f"{ZONE}/{pooled_version(as_of)}" for as_of in (EARLY, LATE))
    assert found.in_use == {f"{ZONE}/{pooled_version(LATE)}": ("acme", "bolt")}


def test_a_preview_writes_nothing(store):
    before = contents(store)
    preview_rows(store, SPEC, read_keys(SPEC, ["guest"], [["guest-0"]]), ACTIVE)
    assert contents(store) == before


def test_no_file_holds_an_erased_row_any_more(store):
    assert any(map(holds, frames(store, "snapshots/").values()))
    drawn = ("report.html", "insights.html", "insights.json")
    shown = [key for key in contents(store) if key.endswith(drawn) and "/acme/" in key]
    assert {key.rsplit("/", 1)[1] for key in shown} == {*drawn}
    order(store)
    for folder in ("snapshots/", "features/", "predictions/", "models/"):
        assert not any(map(holds, frames(store, folder).values()))
    assert contents(store).keys().isdisjoint(shown)


@settings(max_examples=25)
@given(guests=st.sets(st.integers(0, 4), min_size=1, max_size=4))
def test_the_other_predictions_stay_as_they_are_to_the_byte(guests):
    store = fresh_store()
    before = frames(store, "predictions/")
    order(store, values=[(f"guest-{guest}",) for guest in guests])
    gone = set().union(*map(numbers, guests))
    for key, rows in before.items():
        kept = rows[~rows["number"].isin(gone)].reset_index(drop=True)
        assert from_parquet(store.get(key).content).equals(kept)
    for receipt in read_receipts(store, PRODUCT, "acme").values():
        rows = before[receipt.files[0].key]
        kept = rows[~rows["number"].isin(gone)]
        assert (receipt.rows, receipt.erased) == (len(kept), len(rows) - len(kept))
        assert receipt.decided == kept["decision"].sum()
        assert receipt.explained == kept["reasons"].notna().sum()


def log(store, rows):
    """Leave logged answers to some rows of the first window."""
    window = Window(EARLY, LATE)
    return answer(store, PRODUCT, "acme", window, content=to_parquet(rows), rows=len(rows))


def test_logged_answers_are_written_again_without_the_rows(store):
    rows = next(iter(frames(store, "predictions/").values()))
    mixed = log(store, rows)
    others = log(store, rows[~rows["number"].isin(numbers(0))].tail(3))
    log(store, rows[rows["number"].isin(numbers(0))])
    order(store)
    kept = frames(store, "served/")
    assert others.file.key in kept
    assert not any(map(holds, kept.values()))
    folder = f"tenants/{PRODUCT}/acme/served/"
    names = [info.key for info in store.list(folder) if info.key.endswith(".json")]
    (changed,) = {*names} - {others.key}
    receipt = ServedReceipt.from_json(store.get(changed).content, changed)
    assert (len(kept), receipt.rows) == (2, len(kept[receipt.file.key]))
    assert receipt.rows + receipt.erased == mixed.rows
    assert receipt.file.sha256 == sha256(store.get(receipt.file.key).content)


def test_other_tenants_are_not_touched(store):
    def others():
        return {key: one for key, one in contents(store).items() if f"/{PRODUCT}/bolt/" in key}

    before = others()
    order(store)
    assert others() == before


def test_a_chunk_without_such_rows_stays(store):
    before = frames(store, "snapshots/chunks/")
    order(store, ("number",), (("1",),))
    kept = frames(store, "snapshots/chunks/")
    assert len(before) - 1 == len(kept)
    assert set(kept) < set(before)
    assert all(1 not in set(rows["number"]) for rows in kept.values())


@pytest.mark.parametrize("value", ["7", "7.0", "007"])
def test_a_value_is_known_however_it_is_written(store, value):
    assert order(store, ("number", "guest"), ((value, "guest-1"),)).rows == 1


def test_what_names_nothing_is_on_record_and_removes_nothing(store):
    before = contents(store, but=["/erased/", "/erasures/", "suppressed", "/events/"])
    done = order(store, values=(("nobody",),))
    assert (done.rows, done.removed, done.rewritten, done.waiting) == (0, {}, {}, ())
    assert contents(store, but=["/erased/", "/erasures/", "suppressed", "/events/"]) == before


# --- models ---------------------------------------------------------------------------------------


def test_the_champion_stays_until_another_reigns(store):
    versions = [reign.version for reign in read_champion(store, PRODUCT, "acme").reigns]
    done = order(store)
    champion = read_champion(store, PRODUCT, "acme")
    assert set(champion.tainted) == {versions[1]}
    assert set(champion.withdrawn) == {versions[0]}
    assert done.waiting == (versions[1], f"{ZONE}/{pooled_version(LATE)}")
    left = set(store.list_folders(layout.models_folder(PRODUCT, "acme")))
    assert left == {versions[1]}


def test_it_goes_when_another_reigns_and_nobody_stands_on_the_pooled_model(store):
    order(store)
    old = read_champion(store, PRODUCT, "acme").current.version
    for tenant in ACTIVE:
        succeed(store, tenant)
    marks = complete_erasures(store, PRODUCT, SPECS)
    assert marks.waiting == frozenset()
    assert old in read_champion(store, PRODUCT, "acme").withdrawn
    assert not list(store.list(layout.model_folder(PRODUCT, "acme", old)))
    assert not list(store.list(layout.pooled_folder(PRODUCT, ZONE, pooled_version(LATE))))
    (last,) = read_orders(store, PRODUCT, "acme")
    assert last.status == "done"
    assert b'"waiting":[]' in store.get(last.certificate).content


def succeed(store, tenant):
    """Crown another model, which stands on no pooled one."""
    champion = read_champion(store, PRODUCT, tenant)
    reign = champion.current.model_copy(
        update={
            "since": LATE.replace(day=8),
            "version": "20240308T000000Z-aaaaaaaaaaaa",
            "pooled": "",
        }
    )
    crown(store, PRODUCT, tenant, reign)


def test_now_removes_models_in_use_too(store):
    assert order(store, now=True).waiting == ()
    assert read_champion(store, PRODUCT, "acme").standing == ()
    assert read_pooled(store, PRODUCT, ZONE).standing == ()
    assert not list(store.list(layout.models_folder(PRODUCT, "acme")))


def entry_of(store):
    champion = read_champion(store, PRODUCT, "acme")
    return Entry(version=champion.current.version, record="r", spec="s", published=LATE,
                 as_of=LATE, counter=champion.counter)  # fmt: skip


@pytest.mark.parametrize("now", [False, True])
def test_servers_forget_models_that_are_withdrawn(store, now):
    entry = entry_of(store)
    write_entries(store, PRODUCT, {"acme": entry})
    order(store, now=now)
    told, champion = read_entries(store, PRODUCT).get("acme"), read_champion(store, PRODUCT, "acme")
    assert champion.counter > entry.counter
    assert told == (None if now else entry.model_copy(update={"counter": champion.counter}))


def test_a_paused_tenant_keeps_no_model_alive(store):
    keys = read_keys(SPEC, ["guest"], [["guest-0"]])
    done = erase_rows(store, SPEC, keys, who="a", why="b", when=WALL, active=())
    assert done.waiting == ()


def test_a_pooled_model_from_before_the_labels_were_known_stays(store):
    done = order(store, ("number",), (("110",),))
    assert done.pooled == (f"{ZONE}/{pooled_version(LATE)}",)


# --- again, later, killed -------------------------------------------------------------------------


def test_the_order_leaves_an_event_and_the_same_keys_are_the_same_order(store):
    order(store)
    before = contents(store)
    order(store)
    assert contents(store) == before
    (event,) = [one for one in list_events(store, PRODUCT, "acme") if one.kind == "rows_erased"]
    assert b"guest-0" not in store.get(event.key).content


def test_nothing_that_is_stored_names_the_data_subject(store):
    order(store)
    found = contents(store, but=["/bolt/"])
    assert not [key for key, one in found.items() if b"guest-0" in one]


def test_what_a_late_run_brings_back_goes_with_the_same_order(store):
    order(store, now=True)
    Made(store, "acme").run(LATE)  # it read its rows before
    scrub_rows(store, SPEC)
    for folder in ("snapshots/", "features/", "predictions/", "models/"):
        assert not any(map(holds, frames(store, folder).values()))
    assert read_champion(store, PRODUCT, "acme").standing == ()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_an_order_killed_anywhere_is_completed_by_giving_it_again(after):
    aside = ("/erased/", "/erasures/", "suppressed", "/events/", "/open/", "/index/")
    whole = fresh_store()
    order(whole)
    for at in itertools.count(2 if after else 1, 2):
        store = fresh_store()
        killing = KillingStore(store, at, after=after)
        try:
            order(killing)
        except Killed:
            order(store)
        assert contents(store, but=aside) == contents(whole, but=aside), f"killed at {at}"
        if killing.writes < at:
            break


@pytest.mark.parametrize(
    ("columns", "values", "fault"),
    [
        (["gest"], [["x"]], "gest: is no column of the contract; its columns are brand"),
        (["number"], [["twelve"]], "number: 1 values: not a whole number or missing"),
        (["guest"], [], "names nothing"),
    ],
)
def test_keys_that_cannot_be_are_refused_without_being_quoted(columns, values, fault):
    with pytest.raises(ErasureError, match=fault) as caught:
        read_keys(SPEC, columns, values)
    assert "twelve" not in str(caught.value)


def test_servers_keep_nothing_of_the_past_until_the_next_run_publishes_it_anew(store):
    key = layout.online_features(PRODUCT, "acme", "a" * 64)
    store.put(key, b"rows of guest-0")
    entry = Entry(version="v", record="r", online="a" * 64, spec="s", published=LATE, as_of=LATE,
                  counter=1)  # fmt: skip
    write_entries(store, PRODUCT, {"acme": entry, "bolt": entry})
    order(store)
    assert store.find(key) is None
    told = read_entries(store, PRODUCT)
    assert (told["acme"].online, told["bolt"].online) == ("", "a" * 64)
