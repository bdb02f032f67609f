import re

from tenantry.report.insights_page import render_insights_page
from tests.unit.insights.told import make_insights, make_rows, spec_of, with_peers

HOSTILE = "<script>alert(1)</script>"


def test_the_page_tells_all_there_is():
    told = with_peers(make_insights())
    page = render_insights_page(told)
    for words in (
        "EWR → ORD",
        "in use",
        "Since last month",
        "Middle half of the others",
        "changed",
    ):
        assert words in page
    (now,) = [one for one in told.acting if one.is_current]
    assert f'<td data-label="Hits" class="number">{now.hits}</td>' in page
    assert render_insights_page(told) == page


def test_it_fetches_nothing_and_runs_no_script():
    page = render_insights_page(make_insights())
    assert not re.search(r"(src|href)=|<script|@import|url\(", page)
    assert "default-src 'none'" in page


def test_what_stands_in_data_and_specs_stays_text():
    rows = make_rows()
    rows["dest"] = rows["dest"].replace("ORD", HOSTILE + "\x1b[31m")
    label = {"column": "arr_delay", "above": 15, "title": HOSTILE}
    page = render_insights_page(make_insights(rows, spec=spec_of(label=label)))
    assert HOSTILE not in page
    assert "\x1b" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 2


def test_values_have_no_thresholds():
    rows = make_rows()
    label = {"column": "arr_delay", "task": "regression"}
    model = {"candidates": {"logistic": {}}, "validation": "28d", "metric": "mae"}
    page = render_insights_page(make_insights(rows, spec=spec_of(label=label, model=model)))
    assert "What if one acts" not in page
    assert "They are" in page


def test_little_is_told_where_little_is_known():
    told = make_insights(spec=spec_of(monitor={"min_rows": 100_000}))
    page = render_insights_page(told)
    assert "Too few outcomes are known" in page
    assert "No segment had enough rows" in page
    assert "How do others fare" not in page
