import pytest

from tenantry.ledger import STAGES, Due, Entry, Outcome
from tenantry.members import STATES, Member
from tenantry.plans import Planned

TRAIN = Due(action="train", reason="no model yet")


def member(*outcomes, due=("train", "predict", "monitor"), shard="large", died_in=""):
    wanted = tuple(Due(action=action, reason="because") for action in due)
    return Member(
        tenant="ua",
        planned=Planned(shard=shard, due=wanted),
        entry=Entry(tenant="ua", due=wanted, outcomes=outcomes),
        died_in=died_in,
    )


def done(*stages, status="done"):
    return tuple(Outcome(stage=stage, status=status) for stage in stages)


@pytest.mark.parametrize(
    ("one", "state", "unfinished"),
    [
        (member(*done(*STAGES)), "done", ()),
        (member(*done(*STAGES, status="fell_back")), "fell_back", ()),
        (member(*done("ingest", status="failed"), died_in="train"), "failed", ()),
        (member(*done(*STAGES[:4]), died_in="predict"), "unknown", ("predict", "monitor")),
        (member(*done(*STAGES[:4]), due=("train",), died_in="predict"), "done", ()),
        (member(*done(*STAGES[:3]), due=("train",), died_in="promote"), "unknown", ("train",)),
        (member(died_in="ingest"), "unknown", ("train", "predict", "monitor")),
        (member(due=(), shard=None), "idle", ()),
        (Member(tenant="ua"), "idle", ()),
        (Member(tenant="ua", planned=Planned(waiting=(TRAIN,))), "waiting", ()),
        (Member(tenant="ua", planned=Planned(held=("train",))), "waiting", ()),
    ],
)
def test_a_tenants_state(one, state, unfinished):
    assert (one.state, one.unfinished) == (state, unfinished)
    assert state in STATES
