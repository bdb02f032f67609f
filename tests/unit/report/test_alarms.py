import pytest

from tenantry.fleet import FleetState
from tenantry.members import Member
from tenantry.monitoring.judgements import Judgement, Quality, Shift
from tenantry.report.alarms import list_alarms
from tests.unit.monitoring.watched import AS_OF, WINDOWS

RUN = "run-1"


def member(tenant, *, status="ok", realised=0.4, labelled=100, shift=None):
    quality = Quality(
        metric="log_loss",
        realised=realised,
        low=realised - 0.1,
        high=realised + 0.1,
        promised=0.4,
        auc=0.7,
        mean_prediction=0.2,
        mean_label=0.2,
        blocks=7,
    )
    judgement = Judgement(
        product="arrival-delay",
        tenant=tenant,
        window=WINDOWS[0].id,
        as_of=AS_OF,
        run=RUN,
        status=status,
        sentence=f"{status}.",
        labelled=labelled,
        quality=quality,
        drift=(shift,) if shift else (),
    )
    return Member(tenant=tenant, ran=judgement, judged=(judgement.in_short,))


def shifted(evidence=1e6, note=""):
    return Shift(
        name="temp",
        kind="data",
        effect=0.5,
        p_value=1e-9,
        evidence=evidence,
        drifted=True,
        note=note,
    )


def listed(*members):
    return [(one.who, one.what) for one in list_alarms(FleetState(RUN, "p", None, members))]


def test_nothing_is_listed_of_a_quiet_fleet():
    assert listed(member("aa"), Member(tenant="bb")) == []


def test_what_costs_most_comes_first():
    few = member("few", status="decayed", realised=0.9, labelled=100)
    many = member("many", status="decayed", realised=0.5, labelled=10_000)
    assert [who for who, _ in listed(few, many)] == ["many", "few"]


def in_run(*statuses):
    """Make a member of which the run judged as many windows, after one that another run did."""
    found = [
        member("aa", status=status, realised=0.5 + n / 10).ran.model_copy(
            update={"window": WINDOWS[n + 1].id}
        )
        for n, status in enumerate(statuses)
    ]
    return Member("aa", ran=found[-1], judged=tuple(one.in_short for one in found))


def test_windows_of_one_run_are_one_line_with_their_harm_together():
    (line,) = list_alarms(FleetState(RUN, "p", None, (in_run("decayed", "ok", "decayed"),)))
    assert line.what == "decayed. So it was in 2 of the 3 windows of this run."
    assert (line.harm, line.at) == (pytest.approx(10 + 30), WINDOWS[3].id)


def test_what_passed_by_the_last_window_is_told():
    (line,) = list_alarms(FleetState(RUN, "p", None, (in_run("decayed", "ok"),)))
    words = "Worse than promised in 1 of the 2 windows of this run; the last one is: as promised."
    assert (line.what, line.window) == (words, "2013-10-08 to 2013-10-15")
    assert listed(in_run("ok", "ok")) == []


def test_what_another_run_judged_is_not_listed():
    last = member("aa", status="decayed").ran
    assert listed(Member("aa", judgement=last)) == []


def test_one_event_is_one_line():
    members = [member(f"t{n}", shift=shifted()) for n in range(7)]
    ((who, what),) = listed(*members)
    assert who == "7 of 7 tenants"
    assert what == "One event: temp drifted by 0.50 in t0, t1, t2, t3, t4 and 2 more."


def test_a_tenant_of_its_own_is_named_with_its_note():
    alone = member("aa", shift=shifted(note="all missing in the window"))
    assert listed(alone) == [("aa", "temp drifted by 0.50 (all missing in the window).")]


def test_what_may_be_chance_is_counted():
    assert listed(member("aa", shift=shifted(evidence=10.0))) == [
        ("", "Shifts that may be chance among so many streams: 1.")
    ]
