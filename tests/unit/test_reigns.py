"""What counts after rollbacks, for any past moment, whatever was done in between."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.champions import Champion, Pin, Reign, Restored, read_champion
from tenantry.crowning import crown, move_champion
from tenantry.errors import ChampionMovedError
from tenantry.times import compact
from tests.unit.memory_store import MemoryStore

START = datetime(2013, 10, 1, tzinfo=UTC)
WALL = datetime(2026, 11, 24, 12, tzinfo=UTC)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def reign(number: int, turn: int = 0) -> Reign:
    """The reign of the model `v<number>`, crowned on that day."""
    return Reign(
        since=day(number),
        version=f"v{number}",
        digest="d" * 64,
        trained_until=day(number),
        training_digest="t" * 64,
        recipe="logistic",
        gate="promoted",
        turn=turn,
    )


def rollback(number: int, old: Reign, turn: int = 0) -> Reign:
    """A reign of that day that restores an older one."""
    restored = Restored(since=old.since, version=old.version, turn=old.turn, who="ann", why="bad",
                        when=WALL)  # fmt: skip
    return old.model_copy(update={"since": day(number), "turn": turn, "restores": restored})


def champion(*reigns: Reign) -> Champion:
    first, *rest = reigns
    made = Champion(counter=1, reigns=(first,))
    for one in rest:
        made = made.with_reign(one)
    return made


def served(made: Champion, as_of: float, windows: range) -> list[str]:
    """The versions that predict the windows of these days, as of a day."""
    known = made.until(day(as_of))
    assert known is not None
    return [(known.at(day(start)) or known.earliest).version for start in windows]


V0, V10, V20 = reign(0), reign(10), reign(20)
BACK = rollback(25, V10)
"""On day 25 `v20` was found bad, and `v10` restored."""


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (5, ["v0", "v0", "v0", "v0"]),
        (24, ["v0", "v10", "v20", "v20"]),
        (25, ["v0", "v10", "v10", "v10"]),
        (99, ["v0", "v10", "v10", "v10"]),
    ],
)
def test_a_rollback_is_known_from_its_moment_on_and_counts_for_every_window(as_of, expected):
    made = champion(V0, V10, V20, BACK)
    assert served(made, as_of, range(0, 40, 10)) == expected


def test_a_revoked_reign_never_counts_again_but_stays_on_record():
    made = champion(V0, V10, V20, BACK)
    assert made.reigns == (V0, V10, V20, BACK)
    assert made.standing == (V0, V10, BACK)
    assert made.revoked == {V20.place: BACK}
    assert made.revoked_versions == {"v20"}


def test_the_champion_of_a_past_moment_is_who_reigned_then():
    made = champion(V0, V10, V20, BACK)
    found = [made.as_of(day(number)) for number in (-1, 9, 22, 25)]
    assert found == [None, V0, V20, BACK]


def test_the_previous_champion_is_of_another_version_and_counts():
    assert champion(V0).previous is None
    assert champion(V0, V10).previous == V0
    assert champion(V0, V10, V20, BACK).previous == V0
    assert champion(V0, V10, V20, BACK, rollback(26, V0)).previous is None


def test_a_rollback_can_be_rolled_back():
    made = champion(V0, V10, V20, BACK, rollback(26, V20))
    assert served(made, 99, range(0, 40, 10)) == ["v0", "v10", "v20", "v20"]
    assert made.revoked_versions == frozenset()
    assert set(made.revoked) == {BACK.place}


def test_a_later_model_reigns_after_a_rollback():
    made = champion(V0, V10, V20, BACK, reign(30))
    assert served(made, 99, range(0, 40, 10)) == ["v0", "v10", "v10", "v30"]
    assert made.previous == BACK


def test_a_rollback_at_the_very_moment_of_the_reign_it_revokes_follows_it():
    made = champion(V0, V10, rollback(10, V0, turn=1))
    assert served(made, 10, range(0, 20, 5)) == ["v0"] * 4
    assert served(made, 9, range(0, 20, 5)) == ["v0"] * 4


def test_a_restored_model_saw_nothing_after_it_was_crowned():
    assert BACK.unseen_from == V10.unseen_from == day(10)
    made = champion(V0, V10, V20, BACK)
    assert made.origin(BACK) == V10
    assert made.origin(V0) == V0


REIGNS = st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.integers(0, 9)), max_size=12)


@given(REIGNS, st.integers(0, 40), st.integers(0, 40))
def test_whatever_happened_no_revoked_version_is_served(steps, as_of, start):
    made = champion(V0)
    for number, (when, is_rollback, which) in enumerate(steps):
        crowned = [one for one in made.reigns if one.restores is None]
        old = crowned[which % len(crowned)]
        turn = 1 + number
        if not is_rollback:
            made = made.with_reign(reign(when, turn))
        elif old.since <= day(when):
            made = made.with_reign(rollback(when, old, turn))
    known = made.until(day(as_of))
    assert known is not None
    found = known.at(day(start)) or known.earliest
    assert found in known.standing
    assert found.version not in known.revoked_versions
    assert known.current in known.standing
    assert known.standing[0] == V0
    places = [one.place for one in known.standing]
    assert places == sorted(places)
    for one in known.standing:
        between = [
            other
            for other in known.standing
            if one.restores and one.restores.place < other.place < one.place
        ]
        assert between == []


# --- moving the pointer ---------------------------------------------------------------------------


def pinned(made: Champion | None) -> Champion:
    assert made is not None
    pin = Pin(version="v0", who="ann", why="audit", when=WALL, as_of=START, turn=made.counter + 1)
    return made.model_copy(update={"counter": made.counter + 1, "pin": pin})


def test_nothing_is_crowned_over_a_pin():
    store = MemoryStore()
    crown(store, "delay", "ua", V0)
    move_champion(store, "delay", "ua", pinned)
    with pytest.raises(ChampionMovedError, match="delay/ua: v0 was pinned by ann") as caught:
        crown(store, "delay", "ua", V10, over=V0)
    assert caught.value.transient
    assert read_champion(store, "delay", "ua").reigns == (V0,)


def test_what_was_decided_against_another_champion_is_decided_again():
    store = MemoryStore()
    for one in (V0, V10):
        crown(store, "delay", "ua", one)
    crown(store, "delay", "ua", rollback(20, V0))
    with pytest.raises(ChampionMovedError, match="v0 reigns by now, not v10; decide again"):
        crown(store, "delay", "ua", reign(20, turn=1), over=V10)
    crowned = crown(store, "delay", "ua", reign(20, turn=1), over=rollback(20, V0))
    assert crowned.current == reign(20, turn=1)


def test_a_reign_that_is_there_already_stays_whatever_happened_since():
    store = MemoryStore()
    for one in (V0, V10):
        crown(store, "delay", "ua", one)
    move_champion(store, "delay", "ua", pinned)
    before = dict(store.objects)
    crown(store, "delay", "ua", V10, over=V0)
    assert store.objects == before


def test_a_pointer_from_before_there_were_pins_is_read():
    store = MemoryStore()
    text = (
        '{"counter":1,"reigns":[{"digest":"d","evidence":{},"gate":"g","recipe":"r","run":"",'
        '"since":"2013-10-01T00:00:00Z","trained_until":"2013-10-01T00:00:00Z",'
        '"training_digest":"t","turn":0,"version":"v0"}]}'
    )
    store.put("tenants/delay/ua/champion.json", text.encode())
    made = read_champion(store, "delay", "ua")
    assert (made.pin, made.unpinned, made.current.restores) == (None, None, None)
    assert compact(made.current.since) == "20131001T000000Z"
