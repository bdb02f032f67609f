"""What people ordered holds, whatever the gate would say: pins and rollbacks."""

from datetime import datetime, timedelta
from functools import partial

import pytest

from tenantry.champions import Champion, Pin, Reign, Restored
from tenantry.crowning import crown, move_champion
from tenantry.errors import ChampionMovedError
from tenantry.stages.promote import promote
from tests.unit.memory_store import MemoryStore
from tests.unit.stages.tenancy import SEPTEMBER, Tenancy, champion, events
from tests.unit.tiny_fleet import AS_OF


def pin(tenancy: Tenancy) -> None:
    def change(found: Champion | None) -> Champion:
        hold = Pin(
            version=found.current.version, who="ann", why="an audit", when=AS_OF, as_of=AS_OF
        )
        return found.model_copy(update={"counter": found.counter + 1, "pin": hold})

    move_champion(tenancy.store, "arrival-delay", "ua", change)


def roll_back(tenancy: Tenancy, old: Reign, since: datetime, turn: int = 0) -> Reign:
    restored = Restored(
        since=old.since, version=old.version, turn=old.turn, who="bo", why="bad", when=AS_OF
    )
    changes = {"since": since, "turn": turn, "restores": restored, "evidence": {}}
    reign = old.model_copy(update=changes)
    crown(tenancy.store, "arrival-delay", "ua", reign)
    return reign


def test_a_pinned_champion_stays_whatever_the_challenger_is_worth(tenancy, trained, october):
    reign = tenancy.crown(trained[1]["august"])
    pin(tenancy)
    result = promote(tenancy.promote_job(AS_OF, october))
    assert champion(tenancy).reigns == (reign,)
    assert result.message == (
        f"kept the champion without a comparison: it is pinned to {reign.version} by ann: an audit"
    )
    assert (result.status, result.facts["promoted"]) == ("done", False)
    assert events(tenancy) == [("kept", october.version, 0)]


def test_a_backfill_does_not_move_a_pinned_champion(tenancy, trained, october):
    reign = tenancy.crown(october)
    pin(tenancy)
    promote(tenancy.promote_job(SEPTEMBER, trained[1]["september"]))
    assert champion(tenancy).reigns == (reign,)


def test_a_run_repeated_after_a_rollback_leaves_it_standing(tenancy, trained, october):
    august = tenancy.crown(trained[1]["august"])
    job = tenancy.promote_job(AS_OF, october)
    assert promote(job).facts["promoted"] is True
    restored = roll_back(tenancy, august, AS_OF, turn=1)
    before = dict(tenancy.store.objects)
    result = promote(job)
    assert champion(tenancy).current == restored
    assert tenancy.store.objects == before
    assert result.message.endswith(f"{october.version} was rolled back by bo: bad")
    assert (result.status, result.facts["promoted"]) == ("done", False)
    assert result.facts["champion"] == august.version


def test_a_run_that_died_before_its_event_and_was_rolled_back_is_not_crowned_again(
    tenancy, trained, october
):
    august = tenancy.crown(trained[1]["august"])
    job = tenancy.promote_job(AS_OF, october)
    promote(job)
    for key in [key for key in tenancy.store.objects if "/events/" in key]:
        del tenancy.store.objects[key]
    restored = roll_back(tenancy, august, AS_OF, turn=1)
    promote(job)
    assert champion(tenancy).current == restored
    assert events(tenancy) == [("kept", october.version, 2)]


def test_a_later_challenger_is_compared_with_the_restored_model(tenancy, trained, october):
    august = tenancy.crown(trained[1]["august"])
    tenancy.crown(trained[1]["september"])
    roll_back(tenancy, august, SEPTEMBER, turn=1)
    result = promote(tenancy.promote_job(AS_OF, october))
    rows = tenancy.known(AS_OF)
    unseen = (rows["event_time"] >= AS_OF - timedelta(days=28)) & rows["label"].notna()
    assert result.facts["rows"] == int(unseen.sum())
    assert "the champion is 61 days old" in result.message


class Meddling(MemoryStore):
    """Lets someone else move the champion just before the first write to its pointer."""

    def __init__(self, original: MemoryStore, meddle) -> None:
        super().__init__()
        self.objects |= original.objects
        self.meddle = meddle

    def put_if_match(self, key: str, content: bytes, tag: str) -> str:
        if key.endswith("champion.json") and self.meddle:
            meddle, self.meddle = self.meddle, None
            meddle()
        return super().put_if_match(key, content, tag)


def test_a_promotion_that_loses_to_a_pin_sees_it(tenancy, trained, october):
    august = tenancy.crown(trained[1]["august"])
    tenancy.store = Meddling(tenancy.store, lambda: pin(tenancy))
    job = tenancy.promote_job(AS_OF, october)
    with pytest.raises(ChampionMovedError, match="pinned by ann meanwhile"):
        promote(job)
    assert "pinned to" in promote(job).message
    assert champion(tenancy).reigns == (august,)


def test_a_promotion_that_loses_to_a_rollback_decides_anew(tenancy, trained, october):
    august, september = (tenancy.crown(trained[1][name]) for name in ("august", "september"))
    meddle = partial(roll_back, tenancy, august, AS_OF)
    tenancy.store = Meddling(tenancy.store, meddle)
    changed = tenancy.with_spec(timezone="America/New_York")
    job = changed.promote_job(AS_OF, october)
    with pytest.raises(ChampionMovedError, match=f"{august.version} reigns by now"):
        promote(job)
    assert events(tenancy) == []
    result = promote(job)
    assert result.facts["promoted"] is True
    assert champion(tenancy).current.turn == 1
    assert champion(tenancy).current.previous == august.version
    assert september.version not in {one.version for one in champion(tenancy).standing}
