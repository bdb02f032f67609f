"""Which events a worker may have written."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from tenantry.events import Event, Kind
from tenantry.isolation.trails import Trail
from tenantry.ledger import STAGES, Due

AS_OF = datetime(2013, 4, 1, tzinfo=UTC)
TRAIL = Trail("p", "a", "r1", AS_OF, "promote")
EVENT = Event(kind="kept", as_of=AS_OF, product="p", tenant="a", run="r1", sentence="x")
ROLLBACK = EVENT.model_copy(
    update={"kind": "rolled_back", "run": "", "who": "monitor", "why": "w", "when": AS_OF}
)


def after(*actions):
    return replace(TRAIL, due=tuple(Due(action=action, reason="") for action in actions))


def allowed(trail):
    """Return the kinds that a trail takes, in either form that events of runs have."""
    events = [
        one.model_copy(update={"kind": k}) for k in get_args(Kind) for one in (EVENT, ROLLBACK)
    ]
    return {event.kind for event in events if trail.may_end_with(event)}


@pytest.mark.parametrize(
    ("due", "kinds"),
    [
        ((), {"promoted", "kept"}),
        (("train", "predict"), {"promoted", "kept"}),
        (("retire",), {"retired"}),
        (("rollback", "predict"), {"rolled_back"}),
    ],
)
def test_what_is_decided_follows_from_what_is_due(due, kinds):
    assert allowed(after(*due)) == kinds


def test_only_the_stage_that_decides_writes_events():
    assert [stage for stage in STAGES if allowed(replace(TRAIL, stage=stage))] == ["promote"]


@pytest.mark.parametrize(
    "changes",
    [
        {"tenant": "b"},
        {"product": "q"},
        {"run": "r0"},
        {"run": ""},
        {"as_of": AS_OF - timedelta(days=1)},
        {"as_of": AS_OF + timedelta(days=1)},
        {"stage": "train"},
        {"who": "ann"},
        {"why": "because"},
        {"when": AS_OF},
    ],
)
def test_an_event_is_of_this_run_and_of_nobody(changes):
    assert not TRAIL.may_end_with(EVENT.model_copy(update=changes))


@pytest.mark.parametrize(
    "changes",
    [{"who": "ann"}, {"run": "r1"}, {"when": AS_OF - timedelta(days=1)}, {"when": None}],
)
def test_a_rollback_is_ordered_by_the_run_itself(changes):
    assert not after("rollback").may_end_with(ROLLBACK.model_copy(update=changes))
