import re
import subprocess
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from tenantry.monitoring import evidently
from tenantry.monitoring.drift import measure_effect
from tenantry.monitoring.evidently import MAX_ROWS, ReportError, prepare_sides, render_page
from tenantry.monitoring.history import Judged
from tests.unit.monitoring.watched import TRAINED, WINDOWS, make_rows, make_table

TABLE = make_table()
LEARNT = TABLE[TABLE["event_time"] < TRAINED]
NOW = make_rows(TABLE, WINDOWS[0])
COLUMNS = ("distance", "temp", "origin", "label")


def prepare(now=NOW, learnt=LEARNT):
    return prepare_sides(learnt, now, COLUMNS, 20)


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (NOW.assign(temp=np.nan), "no usable value in the judged windows"),
        (NOW.assign(temp=np.inf), "no usable value in the judged windows"),
        (NOW.assign(temp=None), "no usable value in the judged windows"),
        (NOW.drop(columns="temp"), "not in the judged windows"),
        (NOW.assign(temp="warm"), "numbers on one side, text on the other"),
    ],
    ids=["all NaN", "all inf", "all None", "no column", "text"],
)
def test_columns_that_evidently_cannot_bear_are_left_out_by_name(broken, why):
    sides = prepare(broken)
    assert sides.left_out == {"temp": why}
    assert sides.note == f"left out of the Evidently report: temp ({why})"
    assert sides.numeric == ("distance", "label")


def test_a_column_missing_in_training_is_left_out():
    sides = prepare(learnt=LEARNT.drop(columns="origin"))
    assert sides.left_out == {"origin": "not in the training span"}


def test_infinities_become_missing_values():
    now = NOW.assign(temp=NOW["temp"].where(NOW.index > 5, np.inf))
    assert prepare(now).current["temp"].isna().sum() == 6


def test_many_rows_are_drawn_evenly_over_time():
    drawn = prepare().reference
    assert len(drawn) == MAX_ROWS
    first, last = LEARNT["distance"].iloc[[0, -1]]
    assert (drawn["distance"].iloc[0], drawn["distance"].iloc[-1]) == (first, last)


@pytest.mark.parametrize(
    ("now", "fault"),
    [
        (NOW.iloc[:3], "3 rows on one side, 20 are needed"),
        (NOW.iloc[:0], "0 rows on one side, 20 are needed"),
        (NOW[["event_time"]], "no column can be shown"),
    ],
)
def test_no_page_and_why(now, fault):
    sides = prepare(now)
    assert sides.fault == fault
    assert sides.note == f"no Evidently report: {fault}"


def test_the_page_is_whole_and_agrees_with_our_judgement():
    now = NOW.assign(temp=NOW["temp"] + 8, label=0.0)
    page = render_page(prepare(now), {"label", "not shown"}).decode()
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=.(?:https?:)?//", page)
    assert "Effect size, 0 to 1" in page
    assert "(1 out of 4)" in page, "the temperature moved, too, but was not judged to have drifted"
    assert "As judged by effect and by the evidence of all windows" in page


def test_the_page_shows_quality_over_time():
    past = [
        Judged(window=one.id, status="ok", realised=0.4, low=0.3, high=0.55, promised=0.41)
        for one in WINDOWS
    ]
    empty = Judged(window=WINDOWS[0].id, status="no_rows")
    page = render_page(prepare(), (), [*past, empty], "log loss")
    assert b"Quality over time, lower is better" in page
    assert b'"log loss"' in page
    assert b"2013-10-22" in page
    assert b"Quality over time" not in render_page(prepare(), ())


def test_our_effects_agree_with_evidentlys_statistics():
    """Its p-value of Kolmogorov-Smirnov follows from our effect; its total variation is ours."""
    from evidently.legacy.calculations.stattests import ks_stat_test, tvd_stattest
    from evidently.legacy.core import ColumnType

    before, now = LEARNT["temp"], NOW["temp"] + 1.5
    said = ks_stat_test.func(before, now, ColumnType.Numerical, 0.05)
    effect = measure_effect(before, now)
    assert ks_2samp(before, now).statistic == pytest.approx(effect, abs=1e-12)
    assert said[0] == pytest.approx(ks_2samp(before, now).pvalue)
    origins = NOW["origin"].where(NOW.index % 3 > 0, "EWR")
    theirs = tvd_stattest._total_variation_distance(LEARNT["origin"], origins)
    assert measure_effect(LEARNT["origin"], origins) == pytest.approx(theirs, abs=1e-12)


HOSTILE = (
    "</script><script>document.title='run'</script>",
    "<img src=x onerror=\"document.title='run'\">",
    "<b>bold</b> &amp; <!--",
    "a'b\"c`d\\",
    "{{$.inputs.parameters['x']}}",
    "${HOME} $(id)",
    '=HYPERLINK("http://x")',
    "two\nlines",
    "\x1b[31mred",
    "\u202etfel ot thgir",
)


class Elements(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, [name for name, _ in attrs]))


def test_categories_stay_text():
    origins = pd.Series([HOSTILE[row % len(HOSTILE)] for row in range(len(NOW))], dtype="str")
    hostile = prepare(NOW.assign(origin=origins))
    pages = [render_page(one, {"origin"}) for one in (prepare(), hostile)]
    tame, page = (Elements(page.decode()).found for page in pages)
    assert page == tame
    shown = set(hostile.current["origin"])
    assert "&lt;b&gt;bold&lt;/b&gt; &amp;amp; &lt;!--" in shown, "Plotly decodes it to what it was"
    assert {r"\x1b[31mred", r"\u202etfel ot thgir", "{{$.inputs.parameters['x']}}"} <= shown


def test_a_page_made_in_another_way_is_refused():
    with pytest.raises(ReportError, match="0 lines of data, 2 were expected"):
        evidently._without_markup_in_data("<script>var a = 1;</script>")


def test_whatever_evidently_raises_is_one_error_that_names_it(monkeypatch):
    def stop(*_):
        raise KeyError("0")

    monkeypatch.setattr(evidently, "_render", stop)
    with pytest.raises(ReportError, match="no Evidently report: it stopped with KeyError"):
        render_page(prepare(), ())


def test_preparing_does_not_import_evidently():
    code = "import sys, tenantry.monitoring.evidently; sys.exit('evidently' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
