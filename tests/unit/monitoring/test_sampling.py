import pytest

from tenantry.monitoring.sampling import explain_absence, is_sampled
from tests.unit.monitoring.test_judgements import judgement
from tests.unit.monitoring.watched import make_spec

SPEC = make_spec()
QUIET = [judgement()]


@pytest.mark.parametrize("fleet", [0, 1, 50])
def test_in_a_small_fleet_each_tenant_has_a_page(fleet):
    assert explain_absence(SPEC, fleet, QUIET) == ""


@pytest.mark.parametrize("status", ["decayed", "drifted"])
def test_in_a_large_fleet_those_that_alarm_do(status):
    assert explain_absence(SPEC, 51, [judgement(status=status), judgement()]) == ""


def test_others_are_told_why_there_is_none():
    spec = make_spec(monitor={"report_share": 0.0})
    assert explain_absence(spec, 3250, QUIET) == (
        "no Evidently report: nothing alarmed, and of 3,250 tenants only a sample has one "
        "(monitor.report_share: 0); tenantry monitor arrival-delay ua --report makes one"
    )
    assert explain_absence(make_spec(monitor={"report_share": 1.0}), 3250, QUIET) == ""


def test_where_reports_are_off_that_is_told():
    spec = make_spec(monitor={"report": False})
    assert explain_absence(spec, 1, QUIET).startswith("no Evidently report: monitor.report is off")


def test_the_sample_is_drawn_anew_for_each_window_and_always_the_same():
    drawn = [
        {n for n in range(2000) if is_sampled(f"t{n}", window, 0.02)} for window in ("a", "b", "a")
    ]
    assert drawn[0] == drawn[2] != drawn[1]
    assert 20 < len(drawn[0]) < 65
