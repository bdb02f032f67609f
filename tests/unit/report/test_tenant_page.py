import re

import pytest

from tenantry.champions import Champion, Restored
from tenantry.monitoring.judgements import Judgement, Shift, write_judgement
from tenantry.monitoring.memory import Feed
from tenantry.report.tenant_facts import gather_tenant_facts
from tenantry.report.tenant_page import render_tenant_page
from tests.unit.memory_store import MemoryStore
from tests.unit.monitoring.watched import make_spec
from tests.unit.report.made_fleet import AS_OF, BEFORE, WINDOWS, make_judgement, make_reign
from tests.unit.report.made_tenant import make_facts
from tests.unit.report.outline import Outline

PAGE = render_tenant_page(make_facts())
OUTLINE = Outline(PAGE)


def test_the_page_is_well_formed_fetches_nothing_and_runs_no_script():
    assert (OUTLINE.faults, OUTLINE.open) == ([], [])
    assert not re.search(r"url\(|@import|https?://|<script|style=", PAGE)
    (policy,) = [attrs for attrs in OUTLINE.all("meta") if "http-equiv" in attrs]
    assert re.fullmatch(r"default-src 'none'; style-src 'sha256-[\w+/]{43}='", policy["content"])


@pytest.mark.parametrize(
    "words",
    [
        "2013-10-22 to 2013-10-29: worse than promised. Decayed: log loss .520",
        ".410 promised",
        "1 of 13 streams drifted",
        "temp 0.41 < .001 drifted 12.0% missing, 0.2% before",
        "1,112 rows of the latest window are known by now; 20 of them came after it had been "
        "predicted, 12 of these were never scored. The last scored row is of 1.5 hours before the "
        "window's end. Their form changed: a.b was x, is y.",
        "51 judged windows as a table",
        "train again 2013-11-01 Decayed",
        "new model 2013-10-01 Promoted as first model",
    ],
)
def test_what_the_page_says(words):
    assert words in OUTLINE.words


def test_links_lead_to_what_lies_beside():
    links = [attrs["href"] for attrs in OUTLINE.all("a")]
    model = make_facts().judgement.model
    assert links == [f"../../models/{model}/card.html", "report.html", "judgement.json"]


def test_every_window_is_a_mark_that_says_its_figures():
    marks = [attrs for attrs in OUTLINE.all("path") if attrs["class"] == "mark decayed"]
    assert len(marks) > 2
    assert (
        "2013-10-22 to 2013-10-29: worse than promised, log loss .520 (.480 to .560), .410" in PAGE
    )


def test_the_first_judgement_of_all_gives_a_page():
    outline = Outline(render_tenant_page(make_facts(history=(), quality=None, drift=(), rows=0)))
    assert (outline.faults, outline.open) == ([], [])
    assert "The quality of no window could be measured." in outline.words
    assert "Nothing was compared in the latest window." in outline.words


def test_equal_facts_give_equal_bytes():
    assert render_tenant_page(make_facts()) == PAGE


HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(1)>" onmouseover="x {{ 7*7 }}'


def test_hostile_text_stays_text():
    spec = make_spec(
        label={"column": "arr_delay", "above": 15, "title": HOSTILE},
        features={"temp": {"kind": "numeric", "title": HOSTILE}},
    )
    shift = Shift(
        name="temp", kind="data", effect=0.4, p_value=0.1, evidence=9, drifted=True, note=HOSTILE
    )
    odd = shift.model_copy(update={"name": HOSTILE})
    changes = {"sentence": HOSTILE, "report": HOSTILE, "model": HOSTILE, "drift": (shift, odd)}
    changes["feed"] = Feed(rows=1, late=0, unscored=0, silence=None, changes=(HOSTILE,))
    outline = Outline(render_tenant_page(make_facts(spec=spec, **changes)))
    assert (outline.faults, outline.open) == ([], [])
    assert (outline.all("script"), outline.all("img")) == ([], [])
    assert [attrs for _, attrs in outline.elements if "onmouseover" in attrs] == []
    assert outline.words.count(" ".join(HOSTILE.split())) >= 12


def judged(window, status, before):
    return make_judgement("vx", window, status=status).after(before)


def test_facts_hold_the_sentences_of_what_was_asked_for():
    store, last = MemoryStore(), None
    for window, status in zip(WINDOWS, ("decayed", "ok", "drifted"), strict=False):
        last = judged(window, status, last)
        write_judgement(store, last)
    newest: Judgement = judged(WINDOWS[3], "decayed", last)
    restored = Restored(since=BEFORE, version="v", who="ann", why="late", when=AS_OF)
    later = make_reign("vx", AS_OF.replace(year=2014), 0.4)
    reigns = (
        make_reign("vx", BEFORE, 0.4),
        make_reign("vx", AS_OF, 0.4, gate="rolled back by ann").model_copy(
            update={"restores": restored}
        ),
        later,
    )
    champion = Champion(counter=3, reigns=reigns)
    facts = gather_tenant_facts(store, make_spec(tenant="vx"), [newest], champion, has_report=False)
    assert [one.span for one in facts.asked] == [WINDOWS[0], WINDOWS[2], WINDOWS[3]]
    assert [one.span for one in facts.past] == list(WINDOWS)
    words = Outline(render_tenant_page(facts)).words
    assert "rolled back 2013-11-01 Rolled back by ann" in words
    assert later.version not in words
