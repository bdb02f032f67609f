from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.champions import Champion, Reign, read_champion
from tenantry.crowning import crown, see_champion
from tenantry.errors import ChampionMovedError, PreconditionError, StoreUnavailableError
from tenantry.store.folder import FolderStore
from tenantry.times import compact
from tests.unit.memory_store import MemoryStore

START = datetime(2013, 10, 1, tzinfo=UTC)
KEY = "tenants/delay/ua/champion.json"


def reign(day: int, name: str = "aaaaaaaaaaaa", turn: int = 0) -> Reign:
    since = START + timedelta(days=day)
    return Reign(
        since=since,
        version=f"{compact(since)}-{name}",
        digest="d" * 64,
        trained_until=since,
        training_digest="t" * 64,
        recipe="logistic",
        gate="promoted: first model",
        turn=turn,
    )


def days(champion: Champion | None) -> list[int]:
    assert champion is not None
    return [(kept.since - START).days for kept in champion.reigns]


def test_at_gives_the_reign_of_a_moment():
    store = MemoryStore()
    for day in (0, 31):
        crown(store, "delay", "ua", reign(day))
    champion = read_champion(store, "delay", "ua")
    assert champion is not None
    at = {day: champion.at(START + timedelta(days=day)) for day in (-1, 0, 30, 31, 99)}
    assert at == {-1: None, 0: reign(0), 30: reign(0), 31: reign(31), 99: reign(31)}
    assert (champion.earliest, champion.current) == (reign(0), reign(31))


def test_a_backfill_never_changes_todays_champion():
    store = MemoryStore()
    crown(store, "delay", "ua", reign(31))
    crowned = crown(store, "delay", "ua", reign(0))
    assert days(crowned) == [0, 31]
    assert crowned.current == reign(31)


def test_crowning_again_changes_no_byte():
    store = MemoryStore()
    crown(store, "delay", "ua", reign(0))
    before = dict(store.objects)
    again = reign(0).model_copy(update={"run": "another run of the same slot"})
    assert crown(store, "delay", "ua", again).current == reign(0)
    assert store.objects == before


def test_a_moment_that_is_decided_again_is_ordered_by_turn_not_by_name():
    store = MemoryStore()
    crown(store, "delay", "ua", reign(0, "ffffffffffff", turn=0))
    crowned = crown(store, "delay", "ua", reign(0, "000000000000", turn=1))
    assert crowned.at(START) == reign(0, "000000000000", turn=1)


REIGNS = st.builds(
    reign,
    st.integers(0, 400),
    st.sampled_from(["aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"]),
    st.integers(0, 2),
)


@given(st.lists(REIGNS, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_any_order_of_crowning_gives_the_same_bytes(reigns, random):
    first, second = MemoryStore(), MemoryStore()
    for one in reigns:
        crown(first, "delay", "ua", one)
    random.shuffle(reigns)
    for one in reigns:
        crown(second, "delay", "ua", one)
    assert first.objects[KEY].content == second.objects[KEY].content
    champion = read_champion(first, "delay", "ua")
    assert champion is not None
    assert {kept.place for kept in champion.reigns} == {one.place for one in reigns}
    assert champion.counter == len(champion.reigns)


@pytest.mark.parametrize("kind", [MemoryStore, FolderStore])
def test_racing_writers_never_lose_a_reign(kind, tmp_path):
    store = FolderStore(tmp_path) if kind is FolderStore else MemoryStore()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda day: crown(store, "delay", "ua", reign(day)), range(64)))
    assert days(read_champion(store, "delay", "ua")) == list(range(64))


class AlwaysLost(MemoryStore):
    def put_if_absent(self, key: str, content: bytes) -> str:
        raise PreconditionError(key)


def test_what_was_read_is_not_read_again():
    store = MemoryStore()
    for day in (0, 1):
        seen = see_champion(store, "delay", "ua")
        reads = store.reads
        crown(store, "delay", "ua", reign(day), is_first=seen is None, seen=seen)
        assert store.reads == reads
    assert days(read_champion(store, "delay", "ua")) == [0, 1]


@pytest.mark.parametrize("before", [(), (0,)])
def test_a_pointer_that_moved_since_it_was_read_is_decided_on_anew(before: tuple[int, ...]) -> None:
    store = MemoryStore()
    for day in before:
        crown(store, "delay", "ua", reign(day))
    seen = see_champion(store, "delay", "ua")
    over = seen.champion.current if seen else None
    crown(store, "delay", "ua", reign(1))
    with pytest.raises(ChampionMovedError):
        crown(store, "delay", "ua", reign(2), over=over, is_first=over is None, seen=seen)
    assert days(read_champion(store, "delay", "ua")) == [*before, 1]


def test_a_race_that_never_ends_is_a_transient_failure():
    with pytest.raises(StoreUnavailableError, match=r"champion\.json.*run again") as caught:
        crown(AlwaysLost(), "delay", "ua", reign(0))
    assert caught.value.transient
