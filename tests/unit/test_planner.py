from dataclasses import replace
from datetime import timedelta

import pytest

from tenantry.champions import Champion, Pin, Reign, Restored
from tenantry.errors import PlanError
from tenantry.events import Event, write_event
from tenantry.facts import Alarm, Attempt, Failure, Predicted
from tenantry.planner import check_presence, plan_tenant
from tenantry.request import Backfill
from tenantry.serving.entries import Entry as ServingEntry
from tenantry.specs.model import serving_digest
from tenantry.states import TenantState
from tenantry.times import Window, compact, parse_moment
from tenantry.truth import read_state
from tests.unit.tiny_fleet import make_spec as tiny_spec

START = parse_moment("2013-09-03")
WEEK = timedelta(days=7)
OCTOBER = parse_moment("2013-10-01")
NOVEMBER = parse_moment("2013-11-01")


def weeks(first, last):
    return [Window(START + n * WEEK, START + (n + 1) * WEEK) for n in range(first, last)]


def version(moment):
    return f"{compact(moment)}-abc"


def reign(since, **fields):
    return Reign(
        since=since,
        version=version(since),
        digest="d",
        trained_until=since,
        training_digest="t",
        recipe="pooled",
        gate="promoted",
        **fields,
    )


def attempt(spec, as_of, **fields):
    known = {"training_digest": spec.training_digest} | fields
    return Attempt(as_of, version(as_of), **known)


def by(moment, window, as_of=None):
    """What says that the model trained as of a moment predicted a window."""
    return (Predicted(as_of or moment, version(moment), in_sample=window.start < moment),)


def trained(spec, *moments, predicted=(), **fields):
    """The state after runs that trained at `moments`."""
    return TenantState(
        champion=Champion(counter=1, reigns=tuple(reign(moment) for moment in moments)),
        attempt=attempt(spec, moments[-1]),
        predicted={window: by(moments[0], window) for window in predicted},
        **fields,
    )


def due(spec, state, as_of, **options):
    return {one.action: one for one in plan_tenant(spec, state, as_of, **options).due}


def test_a_newborn_tenant_is_trained_and_its_known_windows_predicted():
    found = due(tiny_spec(), TenantState(), OCTOBER)
    assert found["train"].reason == "no model yet"
    assert found["predict"].windows == tuple(window.id for window in weeks(0, 4))
    assert "monitor" not in found


def test_a_second_run_at_the_same_time_finds_nothing_due():
    spec = tiny_spec()
    done = plan_tenant(spec, trained(spec, OCTOBER, predicted=weeks(0, 4)), OCTOBER)
    assert done.due == ()
    assert done.note == "up to date"


@pytest.mark.parametrize(
    ("days", "reason"),
    [(27, None), (28, "last trained as of 2013-10-01T00:00:00Z, train.every is 28d")],
)
def test_training_is_due_when_the_last_attempt_is_old(days, reason):
    spec = tiny_spec()
    found = due(spec, trained(spec, OCTOBER), OCTOBER + timedelta(days=days))
    assert (found["train"].reason if "train" in found else None) == reason


def test_another_training_spec_makes_training_due_and_a_gate_of_ones_own_does_not():
    spec = tiny_spec()
    state = trained(spec, OCTOBER)
    other_seed = spec.model_copy(update={"model": spec.model.model_copy(update={"seed": 8})})
    other_gate = spec.model_copy(update={"gate": spec.gate.model_copy(update={"min_rows": 9})})
    assert due(other_seed, state, OCTOBER)["train"].reason.startswith("its spec changed")
    assert "train" not in due(other_gate, state, OCTOBER)


def test_an_attempt_that_the_gate_never_decided_does_not_count():
    spec = tiny_spec()
    state = TenantState(champion=Champion(counter=1, reigns=(reign(OCTOBER),)), attempt=None)
    assert due(spec, state, OCTOBER)["train"].reason == "no model yet"


@pytest.mark.parametrize(
    ("action", "as_of", "expected"),
    [
        ("retrain", OCTOBER + WEEK, "decayed in window 20131001T000000Z-20131008T000000Z"),
        ("tell", OCTOBER + WEEK, None),
        ("retrain", OCTOBER, None),
    ],
)
def test_a_judgement_since_the_attempt_makes_training_due(action, as_of, expected):
    spec = tiny_spec()
    (week,) = weeks(4, 5)
    judgement = Alarm(as_of, week, "decayed", action)
    state = trained(spec, OCTOBER, judgements=(judgement,))
    found = due(spec, state, OCTOBER + 2 * WEEK)
    assert (found["train"].reason if "train" in found else None) == expected


def called_back(spec, *moments, decayed=(), **fields):
    """The state after trainings, the last model of which a judgement calls back."""
    (week,) = weeks(5, 6)
    bad = version(moments[-1])
    alarm = Alarm(NOVEMBER, week, "decayed", "rollback", bad)
    barred = frozenset({bad, *map(version, decayed)})
    return trained(spec, *moments, judgements=(alarm,), decayed=barred, **fields)


DECAYED = "decayed in window 20131008T000000Z-20131015T000000Z"


def test_a_judgement_makes_a_rollback_due_to_the_champion_before():
    spec = tiny_spec()
    found = due(spec, called_back(spec, OCTOBER, OCTOBER + WEEK), NOVEMBER)
    assert (found["rollback"].version, found["rollback"].windows) == (version(OCTOBER), (WINDOW,))
    assert found["rollback"].reason == f"{DECAYED}: back to {version(OCTOBER)}"
    assert "train" not in found


WINDOW = "20131008T000000Z-20131015T000000Z"


def test_a_model_that_decayed_itself_is_passed_over():
    spec = tiny_spec()
    moments = (OCTOBER - WEEK, OCTOBER, OCTOBER + WEEK)
    found = due(spec, called_back(spec, *moments, decayed=[OCTOBER]), NOVEMBER)
    assert found["rollback"].version == version(OCTOBER - WEEK)


@pytest.mark.parametrize(
    ("moments", "fields"),
    [
        ((OCTOBER + WEEK,), {}),
        ((OCTOBER, OCTOBER + WEEK), {"decayed": [OCTOBER]}),
        (
            (OCTOBER, OCTOBER + WEEK),
            {"failures": (Failure(NOVEMBER, "r", "promote", "RegistryError"),)},
        ),
    ],
    ids=["the first model", "all decayed", "files that are gone"],
)
def test_where_nothing_is_left_to_go_back_to_it_is_trained(moments, fields):
    spec = tiny_spec()
    found = due(spec, called_back(spec, *moments, **fields), NOVEMBER)
    assert found["train"].reason == f"{DECAYED}, and no model is left to go back to"
    assert "rollback" not in found


def test_it_is_rolled_back_once():
    spec = tiny_spec()
    state = called_back(spec, OCTOBER, OCTOBER + WEEK)
    restored = Restored(since=OCTOBER, version=version(OCTOBER), who="m", why="w", when=NOVEMBER)
    back = reign(OCTOBER).model_copy(update={"since": NOVEMBER, "restores": restored})
    after = replace(state, champion=state.champion.with_reign(back))
    assert after.champion.current.version == version(OCTOBER)
    assert {"rollback", "train"}.isdisjoint(due(spec, after, NOVEMBER))


def test_it_is_not_rolled_back_where_it_is_trained_anyway_or_pinned():
    spec = tiny_spec()
    state = called_back(spec, OCTOBER, OCTOBER + WEEK)
    later = plan_tenant(spec, state, OCTOBER + 6 * WEEK)
    assert "rollback" not in {one.action for one in later.due}
    assert f"not rolled back ({DECAYED}): it is trained anyway" in later.note
    pin = Pin(version=version(OCTOBER), who="ann", why="audit", when=OCTOBER, as_of=OCTOBER)
    pinned = replace(state, champion=state.champion.model_copy(update={"pin": pin}))
    assert f"not rolled back ({DECAYED}): pinned" in plan_tenant(spec, pinned, NOVEMBER).note


def test_a_run_can_force_training():
    spec = tiny_spec()
    found = due(spec, trained(spec, OCTOBER), OCTOBER, force=True)
    assert found["train"].reason == "forced by the run"


def test_windows_after_the_reign_began_are_predicted_and_judged_in_one_run():
    spec = tiny_spec()
    found = due(spec, trained(spec, OCTOBER, predicted=weeks(0, 4)), NOVEMBER)
    assert found["predict"].windows == tuple(window.id for window in weeks(4, 8))
    assert found["monitor"].windows == tuple(window.id for window in weeks(4, 8))


def test_windows_in_sample_are_never_judged():
    spec = tiny_spec()
    found = due(spec, trained(spec, OCTOBER, predicted=weeks(0, 4)), OCTOBER + 2 * WEEK)
    assert set(found["monitor"].windows).isdisjoint(window.id for window in weeks(0, 4))


def test_a_window_is_judged_once_and_not_before_its_labels_are_known():
    spec = tiny_spec()
    (week,) = weeks(4, 5)
    state = trained(spec, OCTOBER, predicted=weeks(0, 5))
    assert "monitor" not in due(spec, state, week.end + timedelta(hours=35))
    assert due(spec, state, week.end + timedelta(hours=36))["monitor"].windows == (week.id,)
    judged = trained(spec, OCTOBER, predicted=weeks(0, 5), judged=frozenset({week}))
    assert "monitor" not in due(spec, judged, week.end + timedelta(hours=36))


def test_where_a_column_says_when_labels_are_known_the_spec_says_how_long_to_wait():
    times = {"event_time": "departs", "label_known_at": {"column": "landed"}}
    (week,) = weeks(4, 5)
    for wait, hours in (("0m", 0), ("36h", 36)):
        spec = tiny_spec(times=times, monitor={"wait": wait})
        state = trained(spec, OCTOBER, predicted=weeks(0, 5))
        late = week.end + timedelta(hours=hours)
        assert due(spec, state, late)["monitor"].windows == (week.id,)
        assert "monitor" not in due(spec, state, late - timedelta(minutes=1))


def test_windows_older_than_the_history_are_left_out_and_counted():
    spec = tiny_spec()
    short = spec.train.model_copy(update={"history": timedelta(days=14)})
    spec = spec.model_copy(update={"train": short})
    work = plan_tenant(spec, TenantState(), OCTOBER)
    assert work.due[1].windows == tuple(window.id for window in weeks(2, 4))
    assert work.note == "2 windows are older than train.history (14d)"


@pytest.mark.parametrize(
    ("state", "retired", "action", "note"),
    [
        ("paused", False, [], "paused by its spec"),
        ("retired", False, ["retire"], ""),
        ("retired", True, [], "retired"),
    ],
)
def test_the_declared_state_rules(state, retired, action, note):
    spec = tiny_spec().model_copy(update={"state": state})
    work = plan_tenant(spec, TenantState(retired=retired), OCTOBER)
    assert [one.action for one in work.due] == action
    assert work.note == note


def late_spec(**predict):
    return tiny_spec(predict={"window": "7d", "start": "2013-09-03"} | predict)


@pytest.mark.parametrize(
    ("hours", "looked", "expected"),
    [
        (0, None, False),  # the receipt is as of now
        (1, None, True),
        (1, 1, False),  # looked for as of now
        (30, 1, True),  # again, while the time is not over
        (72, 71, True),
        (100, 71, True),  # a last time after it is over
        (100, 100, False),
        (160, 72, False),  # looked for after it was over
    ],
)
def test_late_rows_are_looked_for_until_their_time_is_over(hours, looked, expected):
    spec = late_spec(late_rows="3d")
    (week,) = weeks(4, 5)
    as_of = week.end + timedelta(hours=hours)
    receipt = by(OCTOBER, week, as_of=week.end)
    looked_at = None if looked is None else week.end + timedelta(hours=looked)
    state = trained(spec, OCTOBER, predicted=weeks(0, 4), looked_at=looked_at)
    old = {window: by(OCTOBER, window, as_of=week.end) for window in weeks(0, 4)}
    found = due(spec, replace(state, predicted=old | {week: receipt}), as_of)
    assert (found["predict"].windows if "predict" in found else ()) == (
        (week.id,) if expected else ()
    )


def test_late_and_new_windows_are_due_together_and_the_reason_tells_them_apart():
    spec = late_spec(late_rows="10d")
    as_of = NOVEMBER
    state = trained(spec, OCTOBER, looked_at=parse_moment("2013-10-22"))
    receipts = {window: by(OCTOBER, window, as_of=window.end) for window in weeks(0, 7)}
    found = due(spec, replace(state, predicted=receipts), as_of)["predict"]
    assert found.windows == tuple(window.id for window in weeks(5, 8))
    assert found.reason == (
        "1 window from 2013-10-22T00:00:00Z to 2013-10-29T00:00:00Z: not yet predicted; "
        "2 windows from 2013-10-08T00:00:00Z to 2013-10-22T00:00:00Z: rows may have arrived late"
    )


def test_a_cap_takes_the_oldest_windows_and_the_note_counts_the_rest():
    spec = late_spec(max_windows_per_run=3)
    work = plan_tenant(spec, TenantState(), OCTOBER)
    assert work.due[1].windows == tuple(window.id for window in weeks(0, 3))
    assert work.note == "left for later runs: 1 window (predict.max_windows_per_run is 3)"
    assert "monitor" not in due(spec, trained(spec, OCTOBER, predicted=weeks(0, 4)), OCTOBER)


def test_a_pinned_champion_is_not_trained_and_the_note_says_by_whom_and_why():
    spec = tiny_spec()
    state = trained(spec, OCTOBER)
    pin = Pin(version=version(OCTOBER), who="ann", why="audit", when=OCTOBER, as_of=OCTOBER)
    pinned = replace(state, champion=state.champion.model_copy(update={"pin": pin}))
    work = plan_tenant(spec, pinned, OCTOBER, force=True)
    assert [one.action for one in work.due] == ["predict"]
    assert work.note == (
        f"not trained (forced by the run): pinned to {version(OCTOBER)} by ann: audit"
    )


def failures(*days, stage="train"):
    return tuple(
        Failure(OCTOBER + timedelta(days=n), f"r{n}", stage, "TrainingError") for n in days
    )


def test_what_failed_once_is_due_again_at_once_and_after_that_it_waits():
    spec = tiny_spec()
    later = OCTOBER + timedelta(days=40)
    once = trained(spec, OCTOBER, failures=failures(40))
    assert "train" in due(spec, once, later)
    twice = trained(spec, OCTOBER, failures=failures(39, 40))
    work = plan_tenant(spec, twice, later)
    assert [one.action for one in work.due] == ["predict", "monitor"]
    assert work.note == (
        "train waits until 2013-11-11T00:00:00Z: train failed in 2 runs in a row (TrainingError)"
    )
    assert "train" in due(spec, twice, later + timedelta(days=1))
    assert "train" in due(spec, twice, later, force=True)


def test_without_a_model_windows_wait_while_training_does():
    spec = tiny_spec()
    held = plan_tenant(spec, TenantState(failures=failures(-1, 0)), OCTOBER)
    assert held.due == ()
    assert held.held == ("train",)
    assert held.note.startswith("train waits until")


def test_who_fails_stands_in_line_again_from_its_next_try_on():
    spec = tiny_spec()
    first = plan_tenant(spec, TenantState(), OCTOBER)
    again = plan_tenant(spec, TenantState(failures=failures(-1, stage="ingest")), OCTOBER)
    assert first.promised == START + timedelta(days=1)
    assert again.promised == OCTOBER


def test_the_promise_counts_from_the_last_row_of_the_oldest_window():
    spec = late_spec(fresh_within="6h")
    work = plan_tenant(spec, trained(spec, OCTOBER, predicted=weeks(0, 6)), NOVEMBER)
    assert work.promised == weeks(3, 5)[1].end + timedelta(hours=36 + 6)  # the oldest to be judged
    spec = late_spec(fresh_within="6h")
    judged = frozenset(weeks(0, 6))
    work = plan_tenant(spec, trained(spec, OCTOBER, predicted=weeks(0, 6), judged=judged), NOVEMBER)
    assert work.promised == weeks(6, 7)[0].end + timedelta(hours=6)


def test_an_erased_tenant_is_never_due():
    assert plan_tenant(tiny_spec(), TenantState(erased=True), OCTOBER).note == "erased"


def months(model, *, until=OCTOBER):
    return Backfill(parse_moment("2013-08-01"), until, model)


def test_a_backfill_asks_for_what_the_model_of_then_has_not_predicted():
    spec = tiny_spec()
    state = trained(spec, OCTOBER, predicted=weeks(0, 4))
    found = due(spec, state, OCTOBER, backfill=months("then"))["backfill"]
    assert found.windows == tuple(window.id for window in weeks(-4, 0))
    assert (found.model, found.since, found.until) == (
        "then",
        parse_moment("2013-08-01"),
        OCTOBER,
    )
    again = trained(spec, OCTOBER, predicted=weeks(-4, 4))
    assert due(spec, again, OCTOBER, backfill=months("then")) == {}


def test_a_backfill_by_the_current_champion_predicts_again_what_others_did():
    spec = tiny_spec()
    state = trained(spec, OCTOBER, NOVEMBER, predicted=weeks(-4, 8))
    found = due(spec, state, NOVEMBER, backfill=months("current", until=NOVEMBER))
    assert found["backfill"].windows == tuple(window.id for window in weeks(-4, 8))
    assert found["backfill"].model == "current"
    assert "backfill" not in due(spec, state, NOVEMBER, backfill=months("then", until=NOVEMBER))


def test_a_backfill_reaches_past_the_history_and_shares_the_cap():
    spec = late_spec(max_windows_per_run=3)
    spec = spec.model_copy(
        update={"train": spec.train.model_copy(update={"history": timedelta(days=14)})}
    )
    work = plan_tenant(spec, TenantState(), OCTOBER, backfill=months("then"))
    found = {one.action: one.windows for one in work.due}
    assert found["predict"] == tuple(window.id for window in weeks(2, 4))
    assert found["backfill"] == tuple(window.id for window in weeks(-4, -3))
    assert "left for later runs: 5 windows of the backfill" in work.note


def test_what_a_later_run_predicted_is_not_predicted_again_and_not_judged_by_it():
    spec = tiny_spec()
    predicted = {week: by(OCTOBER, week, as_of=NOVEMBER) for week in weeks(0, 6)}
    state = replace(trained(spec, OCTOBER), predicted=predicted)
    found = due(spec, state, OCTOBER + 2 * WEEK + timedelta(days=3))
    assert found == {}


def test_a_tenant_without_a_spec_is_an_error_and_so_are_many_retirements():
    specs = {f"t{n}": tiny_spec() for n in range(20)}
    with pytest.raises(PlanError) as caught:
        check_presence(specs, {"t1", "gone"}, 0.1, {"t1", "t2", "t3"})
    assert str(caught.value).splitlines() == [
        "gone.yaml: the store holds this tenant, but it has no spec; "
        "restore its file, or write state: retired into it",
        "product.yaml: 3 of 20 tenants are to be retired at once (t1, t2, t3); "
        "retire fewer, or raise retire_max_share (now 0.1)",
    ]
    check_presence(specs, {"t1"}, 0.1, {"t1", "t2"})


def test_a_retirement_counts_from_its_time_on(folder_store):
    spec = tiny_spec().model_copy(update={"state": "retired"})

    def retire(as_of):
        event = Event(
            kind="retired",
            as_of=as_of,
            product=spec.product,
            tenant=spec.tenant,
            run="r",
            sentence="retired",
        )
        write_event(folder_store, event)

    def is_retired(as_of):
        return read_state(folder_store, spec.product, spec.tenant).as_of(as_of).retired

    retire(OCTOBER)
    assert not is_retired(OCTOBER - WEEK)
    assert is_retired(OCTOBER)


def test_a_tainted_champion_makes_training_due_whatever_its_age():
    spec = tiny_spec()
    state = trained(spec, OCTOBER)
    marked = state.champion.taint([version(OCTOBER)], "rows were erased")
    (training,) = [
        due
        for due in plan_tenant(spec, replace(state, champion=marked), OCTOBER).due
        if due.action == "train"
    ]
    assert training.reason == "its champion is to be replaced: rows were erased"


# --- serving --------------------------------------------------------------------------------------


def served(spec, as_of=OCTOBER, **fields):
    """What servers are told of a tenant that was trained as of October."""
    known = {"version": version(OCTOBER), "record": "r", "online": "o", "counter": 1}
    known |= {"spec": serving_digest(spec), "published": as_of, "as_of": as_of}
    return ServingEntry.model_validate(known | fields)


@pytest.mark.parametrize(
    ("fields", "is_due"),
    [
        ({}, False),
        ({"counter": 7}, False),
        ({"version": "v"}, True),
        ({"online": ""}, True),
        ({"as_of": NOVEMBER}, False),
    ],
)
def test_publishing_is_due_where_servers_were_told_something_else(fields, is_due):
    spec = tiny_spec(serving={"enabled": True})
    state = trained(spec, OCTOBER, predicted=weeks(0, 4))
    found = plan_tenant(spec, state, OCTOBER, served=served(spec, **fields))
    assert [one.action for one in found.due] == (["publish"] if is_due else [])


def test_what_is_predicted_is_published_anyway_and_what_is_not_served_never():
    spec = tiny_spec(serving={"enabled": True})
    state = trained(spec, OCTOBER, predicted=weeks(0, 3))
    assert list(due(spec, state, OCTOBER)) == ["predict"]
    all_done = trained(spec, OCTOBER, predicted=weeks(0, 4))
    assert list(due(spec, all_done, OCTOBER)) == ["publish"]
    assert list(due(tiny_spec(), all_done, OCTOBER)) == []
    assert list(due(spec, all_done, OCTOBER, force=True)) == ["train", "publish"]
