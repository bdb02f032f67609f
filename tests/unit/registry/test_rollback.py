"""A rollback restores a model that reigned, loses nothing, and refuses what cannot be done."""

import pytest

from tenantry import layout
from tenantry.champions import Pin, Reign, read_champion
from tenantry.crowning import crown, move_champion
from tenantry.digests import sha256
from tenantry.erasure.tombstones import Tombstone, write_tombstone
from tenantry.errors import NothingToDoError, RegistryError
from tenantry.events import list_events, read_event
from tenantry.registry.orders import make_order
from tenantry.registry.rollback import Aim, find_rollback, make_rollback
from tests.unit.memory_store import MemoryStore
from tests.unit.registry.made import (
    ORDER,
    PRODUCT,
    WALL,
    contents,
    day,
    decide,
    make_model,
    make_pooled,
    make_reign,
    make_tenant,
    version,
)

BEFORE = Aim()
"""The champion before."""


@pytest.fixture
def store():
    made = MemoryStore()
    make_tenant(made, (0, 31, 62))
    return made


def roll_back(store, aim=BEFORE, *, tenant="ua", order=ORDER, as_of=None) -> Reign:
    move = find_rollback(store, PRODUCT, tenant, aim, order=order, as_of=as_of)
    return make_rollback(store, PRODUCT, move)


def champion(store):
    return read_champion(store, PRODUCT, "ua")


# --- what it does ---------------------------------------------------------------------------------


def test_without_an_aim_the_champion_before_reigns_again(store):
    reign = roll_back(store)
    assert champion(store).current == reign
    assert (reign.version, reign.digest) == (version(31), make_model(store, 31).file_digest)
    assert (reign.since, reign.turn) == (day(62), 1)
    assert reign.restores.place == (day(31), 0, version(31))
    assert reign.gate == f"rolled back from {version(62)} by ann: it is late too often"
    assert reign.previous == version(62)


@pytest.mark.parametrize(
    ("aim", "expected"),
    [
        (Aim(version=version(0)), 0),
        (Aim(version=version(31)), 31),
        (Aim(time=day(0)), 0),
        (Aim(time=day(30.5)), 0),
        (Aim(time=day(61)), 31),
    ],
)
def test_any_model_that_reigned_can_be_restored_by_version_or_by_time(store, aim, expected):
    assert roll_back(store, aim).version == version(expected)


def test_it_takes_effect_from_the_latest_logical_time_of_the_tenant(store):
    kept = make_model(store, 70)
    decide(store, kept, "kept")
    reign = roll_back(store)
    assert (reign.since, reign.turn) == (day(70), 0)
    known = champion(store)
    assert known.as_of(day(69)).version == version(62), "what was known before stays so"
    assert known.until(day(70)).at(day(65)).version == version(31)


def test_it_takes_effect_from_the_time_that_is_said(store):
    assert roll_back(store, as_of=day(90)).since == day(90)


def test_it_leaves_an_event_with_who_when_and_why(store):
    reign = roll_back(store)
    (name,) = [one for one in list_events(store, PRODUCT, "ua") if one.kind == "rolled_back"]
    event = read_event(store, name.key)
    assert (event.who, event.why, event.when) == ("ann", "it is late too often", WALL)
    assert (event.as_of, event.version, event.turn) == (reign.since, reign.version, reign.turn)
    assert event.evidence == {"replaced": version(62)}
    assert event.sentence == f"{version(62)} was rolled back by ann: it is late too often"


def test_nothing_but_the_pointer_changes_and_nothing_is_removed(store):
    before = contents(store)
    roll_back(store)
    after = contents(store)
    changed = {key for key in after if after[key] != before.get(key)}
    event = f"20131202T000000Z-rolled_back-{version(31)}-1"
    assert changed == {layout.champion(PRODUCT, "ua"), layout.event(PRODUCT, "ua", event)}
    assert before.keys() <= after.keys()


def test_a_rollback_is_rolled_back_the_same_way(store):
    roll_back(store)
    reign = roll_back(store, Aim(version=version(62)))
    known = champion(store)
    assert known.current == reign
    assert reign.turn == 2
    assert known.revoked_versions == frozenset()
    assert known.until(day(62)).at(day(40)).version == version(31)


def test_it_is_undone_by_one_word_and_only_once(store):
    roll_back(store)
    assert roll_back(store, Aim(undo=True)).version == version(62)
    assert champion(store).revoked_versions == frozenset()
    for _ in range(2):
        with pytest.raises(NothingToDoError, match="there is no rollback to undo"):
            roll_back(store, Aim(undo=True))


def test_one_can_go_further_back_by_naming_the_version(store):
    roll_back(store)
    assert roll_back(store, Aim(version=version(0))).version == version(0)


def test_going_back_to_a_time_of_a_rollback_restores_the_model_it_restored(store):
    roll_back(store, as_of=day(70))
    crown(store, PRODUCT, "ua", make_reign(make_model(store, 80)))
    reign = roll_back(store, Aim(time=day(75)))
    assert reign.restores.place == (day(31), 0, version(31))


# --- idempotence and races ------------------------------------------------------------------------


@pytest.mark.parametrize("aim", [Aim(), Aim(version=version(31)), Aim(time=day(40))])
def test_ordered_twice_it_is_done_once(store, aim):
    roll_back(store, aim)
    before = contents(store)
    with pytest.raises(NothingToDoError):
        roll_back(store, aim)
    assert contents(store) == before


def test_an_order_that_died_before_its_event_is_completed_by_giving_it_again(store):
    roll_back(store)
    before = contents(store)
    (lost,) = [key for key in before if "rolled_back" in key]
    store.delete(lost)
    with pytest.raises(NothingToDoError):
        roll_back(store, Aim(version=version(31)))
    assert contents(store) == before


def test_a_champion_crowned_meanwhile_is_not_rolled_back_unseen(store):
    move = find_rollback(store, PRODUCT, "ua", Aim(), order=ORDER)
    newer = make_reign(make_model(store, 70))
    crown(store, PRODUCT, "ua", newer)
    with pytest.raises(RegistryError, match="someone moved it meanwhile: look at its history"):
        make_rollback(store, PRODUCT, move)
    assert champion(store).current == newer


def test_a_backfill_meanwhile_is_no_obstacle(store):
    move = find_rollback(store, PRODUCT, "ua", Aim(), order=ORDER)
    crown(store, PRODUCT, "ua", make_reign(make_model(store, 10)))
    make_rollback(store, PRODUCT, move)
    assert champion(store).current.version == version(31)
    assert len(champion(store).reigns) == 5


# --- refusals -------------------------------------------------------------------------------------


def tamper(store, name, content=None):
    key = f"{layout.model_folder(PRODUCT, 'ua', version(31))}{name}"
    if content is None:
        store.delete(key)
    else:
        store.put(key, content)


HARM = {
    "a missing file": (lambda s: tamper(s, "model.skops"), r"model\.skops: missing"),
    "a missing card": (lambda s: tamper(s, "card.json"), r"card\.json: missing"),
    "flipped bytes": (lambda s: tamper(s, "model.skops", b"x"), r"model\.skops: not the file that"),
    "no card": (lambda s: tamper(s, "card.json", b"{}"), r"card\.json is not a Card"),
    "another's card": (
        lambda s: tamper(s, "card.json", make_model(s, 62).to_json()),
        r"card\.json: is not the card of the model that was crowned",
    ),
    "another's file": (
        lambda s: tamper(s, "model.skops", b"the model of ua of day 62"),
        r"model\.skops: not the file that",
    ),
    "another's card and file": (
        lambda s: (
            tamper(s, "card.json", make_model(s, 62).to_json()),
            tamper(s, "model.skops", b"the model of ua of day 62"),
        ),
        r"card\.json: is not the card of the model that was crowned",
    ),
}


@pytest.mark.parametrize(("harm", "words"), HARM.values(), ids=HARM)
def test_a_model_whose_files_were_harmed_is_not_restored(store, harm, words):
    harm(store)
    before = contents(store)
    with pytest.raises(RegistryError, match=f"{version(31)} cannot be restored: .*{words}"):
        roll_back(store)
    assert contents(store) == before


def test_a_model_whose_packed_file_was_harmed_is_not_restored():
    store = MemoryStore()
    card = make_model(store, 0)
    crown(store, PRODUCT, "ua", make_reign(card, packed=sha256(b"packed")))
    crown(store, PRODUCT, "ua", make_reign(make_model(store, 31)))
    folder = layout.model_folder(PRODUCT, "ua", card.version)
    store.put(f"{folder}packed.bin", b"other bytes")
    with pytest.raises(RegistryError, match=r"packed\.bin: not the file that"):
        roll_back(store)
    store.put(f"{folder}packed.bin", b"packed")
    assert roll_back(store).packed == sha256(b"packed")


@pytest.mark.parametrize("content", [None, b"another"])
def test_a_model_whose_pooled_model_was_harmed_is_not_restored(content):
    store = MemoryStore()
    part = make_pooled(store)
    make_tenant(store, pooled=part)
    key = f"{layout.pooled_folder(PRODUCT, part.zone, part.version)}model.skops"
    store.delete(key) if content is None else store.put(key, content)
    with pytest.raises(RegistryError, match="pooled/default/"):
        roll_back(store)


def pin(store):
    def change(found):
        held = Pin(version=found.current.version, who="bo", why="audit", when=WALL, as_of=day(62))
        return found.model_copy(update={"counter": found.counter + 1, "pin": held})

    move_champion(store, PRODUCT, "ua", change)


def erase(store):
    write_tombstone(store, Tombstone(product=PRODUCT, tenant="ua", when=WALL, who="bo", why="left"))


@pytest.mark.parametrize("mark", ["taint", "withdraw"])
def test_a_model_that_learnt_from_erased_rows_is_not_restored(store, mark):
    def change(found):
        return getattr(found, mark)([version(31)], "it learnt from rows that were erased")

    move_champion(store, PRODUCT, "ua", change)
    with pytest.raises(RegistryError, match=f"{version(31)} must not be used: it learnt from"):
        roll_back(store, Aim(version=version(31)))


@pytest.mark.parametrize(
    ("prepare", "aim", "words"),
    [
        (None, Aim(version=version(62)), f"{version(62)} reigns already"),
        (None, Aim(version=version(31)[:-1] + "z"), f"did you mean {version(31)}"),
        (None, Aim(version="nonsense"), f"there is no version nonsense; there are {version(0)}, "),
        (lambda store: make_model(store, 70), Aim(version=version(70)), "never reigned: the gate"),
        (None, Aim(time=day(-1)), "nothing reigned as of 2013-09-30.*its first model reigns since"),
        (pin, Aim(), f"it is pinned to {version(62)} by bo: audit; unpin it first"),
        (erase, Aim(), "was erased"),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(store, prepare, aim, words):
    if prepare:
        prepare(store)
    before = contents(store)
    with pytest.raises(RegistryError, match=words):
        roll_back(store, aim)
    assert contents(store) == before


def test_a_first_champion_has_none_before_it():
    store = MemoryStore()
    make_tenant(store, (0,))
    with pytest.raises(NothingToDoError, match="is its first champion"):
        roll_back(store)


def test_after_a_rollback_the_next_one_must_say_how_far(store):
    roll_back(store)
    words = f"rolled back already, from {version(62)} to {version(31)} by ann.*--to {version(0)}"
    with pytest.raises(NothingToDoError, match=words):
        roll_back(store)


def test_a_rollback_before_the_present_reign_began_would_change_nothing(store):
    with pytest.raises(RegistryError, match="reigns since 2013-12-02.*would change nothing"):
        roll_back(store, as_of=day(40))


@pytest.mark.parametrize(
    ("product", "tenant", "words"),
    [
        (PRODUCT, "uaa", "uaa: the store holds no such tenant of arrival-delay; did you mean ua?"),
        ("arrival-delays", "ua", "no such product; did you mean arrival-delay?"),
        (PRODUCT, "b6", "arrival-delay/b6: no model ever reigned; train it first"),
    ],
)
def test_unknown_names_are_refused_with_near_ones(store, product, tenant, words):
    store.put("tenants/arrival-delay/b6/snapshots/x", b"")
    with pytest.raises(RegistryError, match=words.replace("?", r"\?")):
        find_rollback(store, product, tenant, Aim(), order=ORDER)


@pytest.mark.parametrize(
    ("who", "why", "words"),
    [
        ("", "a reason", "--who: nobody gives this order; say who, or set USER"),
        ("ann", " \n ", "--why: there is no reason"),
        ("", "", "(?s)--who.*--why"),
        ("ann", "\x1b[2Jlate", "--why: holds control characters; write plain text"),
        ("ann", "x" * 501, "--why: 501 characters; 500 at most"),
    ],
)
def test_an_order_says_who_and_why(who, why, words):
    with pytest.raises(RegistryError, match=words):
        make_order(who, why, WALL)


def test_an_order_is_kept_on_one_line():
    made = make_order(" ann ", "two\nlines", WALL.replace(microsecond=7))
    assert (made.who, made.why, made.when) == ("ann", "two lines", WALL)
