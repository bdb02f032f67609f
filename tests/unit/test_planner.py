from datetime import timedelta

import pytest

from tenantry.champions import Champion, Reign
from tenantry.errors import PlanError
from tenantry.events import Event, write_event
from tenantry.planner import check_presence, plan_tenant
from tenantry.states import Alarm, Attempt, Predicted, TenantState
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
