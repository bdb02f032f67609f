from datetime import date, timedelta
from typing import get_args

from tenantry.monitoring.history import JudgementStatus
from tenantry.report.heatmap import SIGNS, WEEKS, WORST, map_weeks
from tenantry.times import Window
from tests.unit.report.made_fleet import WINDOWS, make_judgement


def judged(tenant, *statuses, every=7):
    last = None
    for n, status in enumerate(statuses):
        start = WINDOWS[0].start + timedelta(days=every * n)
        one = make_judgement(tenant, Window(start, start + timedelta(days=every)), status=status)
        last = one.after(last)
    return last


def signs(row):
    return "".join(one.sign or "." for one in row.weeks)


def test_every_status_that_is_written_has_a_sign_of_its_own():
    assert set(SIGNS) == set(get_args(JudgementStatus)) - {"not_predicted"}
    assert len(set(SIGNS.values())) == len(SIGNS)


def test_nothing_judged_gives_no_map():
    assert map_weeks([]) is None


def test_a_tenant_is_a_row_and_a_week_a_column():
    heat = map_weeks([judged("aa", "ok", "decayed", "drifted", "too_small")])
    assert heat.weeks == tuple(date(2013, 9, 30) + timedelta(days=7 * n) for n in range(4))
    assert signs(heat.rows[0]) == "✓✕~…"
    assert heat.rows[0].window == WINDOWS[3].id


def test_days_of_one_week_are_one_cell_as_bad_as_the_worst():
    heat = map_weeks([judged("aa", "ok", "decayed", "ok", "ok", "ok", "ok", "ok", every=1)])
    assert signs(heat.rows[0]) == "✕✓"


def test_the_worst_come_first_and_all_can_be_found():
    quiet = [judged(f"t{n:03}", "ok", "ok") for n in range(WORST + 5)]
    heat = map_weeks([*quiet, judged("late", "ok", "decayed"), judged("once", "decayed", "ok")])
    assert [row.tenant for row in heat.rows][:3] == ["late", "once", "t000"]
    assert (len(heat.rows), len(heat.others), heat.tenants) == (WORST, WORST + 7, WORST + 7)
    ok, decayed = (str(list(SIGNS).index(status)) for status in ("ok", "decayed"))
    assert heat.others[0] == f"late {WINDOWS[1].id} {ok}{decayed}"


def test_a_tenant_that_is_no_longer_judged_is_not_among_the_worst():
    gone, lately = judged("gone", "decayed"), judged("lately", *["ok"] * 3, "decayed")
    heat = map_weeks([gone, lately, judged("here", *["ok"] * 6)])
    assert [row.tenant for row in heat.rows] == ["lately", "here", "gone"]
    heat = map_weeks([gone, lately, judged("here", *["ok"] * 5)])
    assert [row.tenant for row in heat.rows][-1] == "here", "four weeks are not long"


def test_no_more_weeks_than_fit():
    heat = map_weeks([judged("aa", *["ok"] * (WEEKS + 9))])
    assert len(heat.weeks) == WEEKS
    assert len(heat.others[0].split(" ")[2]) == WEEKS


def test_each_week_is_counted_over_the_whole_fleet():
    heat = map_weeks([judged("aa", "ok", "decayed"), judged("bb", "drifted"), judged("cc", "ok")])
    counts = [(one.judged, one.decayed, one.drifted) for one in heat.totals]
    assert counts == [(3, 0, 1), (1, 1, 0)]


def test_what_many_tenants_share_is_one_event():
    many = [judged(f"t{n}", "ok", "drifted") for n in range(3)]
    heat = map_weeks([*many, judged("t9", "ok", "ok")])
    assert heat.events == ("", "temp in 3 of 4")
    assert map_weeks([*many[:2], judged("t9", "ok", "ok")]).events == ("", "")
