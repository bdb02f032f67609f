from dataclasses import replace

from tenantry.champions import Champion, Restored
from tenantry.facts import Alarm
from tenantry.recalls import find_recall
from tenantry.states import TenantRecord, TenantState
from tests.unit.any_records import START, WEEK, WINDOWS
from tests.unit.memory_store import MemoryStore
from tests.unit.registry.made import make_model, make_reign

STORE = MemoryStore()
OLD, NEW = (make_reign(make_model(STORE, number)) for number in (0, 7))
CHAMPION = Champion(counter=2, reigns=(OLD, NEW))


def alarm(action="rollback", model=NEW.version, status="decayed", weeks=3):
    return Alarm(START + weeks * WEEK, WINDOWS[weeks], status, action, model)


def recall(*alarms, champion=CHAMPION):
    record = TenantRecord("ua", champion=champion, alarms=frozenset(alarms))
    return find_recall(record.as_of(START + 9 * WEEK))


def test_only_the_model_that_reigns_is_called_back():
    assert recall(alarm()).refuge == OLD
    assert recall(alarm(model=OLD.version)) is None
    assert recall(alarm(action="tell")) is None
    assert find_recall(TenantState()) is None


def test_who_was_made_to_reign_again_is_called_back_by_later_judgements_only():
    """The alarm led to OLD's return in week 4; a person undid it at the same logical time."""
    since = START + 4 * WEEK
    back, undone = (
        reign.model_copy(
            update={
                "since": since,
                "turn": turn,
                "restores": Restored(
                    since=reign.since,
                    version=reign.version,
                    replaced=replaced.version,
                    who=who,
                    why="why",
                    when=since,
                ),
            }
        )
        for turn, (reign, replaced, who) in enumerate(((OLD, NEW, "monitor"), (NEW, OLD, "ann")))
    )
    champion = CHAMPION.with_reign(back).with_reign(undone)
    assert champion.current.version == NEW.version
    assert recall(alarm(), alarm(weeks=4), champion=champion) is None
    assert recall(alarm(), alarm(weeks=5), champion=champion).refuge == OLD


def test_decay_that_asked_for_nothing_bars_a_model_all_the_same():
    asked_for_nothing = alarm(action="none", model=OLD.version, weeks=1)
    assert recall(asked_for_nothing, alarm()).refuge is None


def test_drift_bars_no_model():
    assert recall(alarm(action="tell", model=OLD.version, status="drifted"), alarm()).refuge == OLD


def test_a_model_that_must_not_be_used_is_no_refuge():
    tainted = CHAMPION.model_copy(update={"tainted": {OLD.version: "a row was erased"}})
    assert recall(alarm(), champion=tainted).refuge is None


def test_what_was_judged_later_is_not_known():
    state = TenantRecord("ua", champion=CHAMPION, alarms=frozenset({alarm()})).as_of(START + WEEK)
    assert find_recall(state) is None
    assert replace(state).decayed == frozenset()
