import re

import pytest

from tenantry import layout
from tenantry.fleet import FleetState, read_fleet
from tenantry.ledger import Due, Entry, Outcome
from tenantry.members import Member
from tenantry.plans import Planned
from tenantry.registry.pins import pin
from tenantry.registry.rollback import Aim, find_rollback, make_rollback
from tenantry.report.page import render_page
from tenantry.report.summary import to_markdown
from tests.unit.memory_store import MemoryStore
from tests.unit.registry.made import ORDER, make_tenant, version
from tests.unit.report.made_fleet import (
    PRODUCT,
    ROWS,
    RUN,
    WINDOWS,
    make_fleet,
    make_judgement,
    make_reign,
)
from tests.unit.report.outline import Outline

TROUBLED = read_fleet(make_fleet(), RUN)
PAGE = render_page(TROUBLED, "FAILED")
OUTLINE = Outline(PAGE)


def test_the_page_is_well_formed_and_names_every_tenant():
    assert (OUTLINE.faults, OUTLINE.open) == ([], [])
    bodies = {
        attrs["id"]: attrs["data-state"] for attrs in OUTLINE.all("tbody") if "data-state" in attrs
    }
    assert set(bodies) == {f"t-{tenant}" for tenant in (*ROWS, "tz")}
    assert bodies["t-yv"] == "failed"


def test_nothing_is_fetched():
    assert not OUTLINE.all("link")
    assert not OUTLINE.all("img")
    assert [attrs for attrs in OUTLINE.all("script") if "src" in attrs] == []
    assert not re.search(r"url\(|@import|https?://", PAGE)


def test_only_our_own_script_and_style_may_run():
    (policy,) = [attrs for attrs in OUTLINE.all("meta") if "http-equiv" in attrs]
    rules = r"default-src 'none'; style-src 'sha256-[\w+/]{43}='; script-src 'sha256-[\w+/]{43}='"
    assert re.fullmatch(rules, policy["content"])
    assert len(OUTLINE.all("script")) == 1
    inline = [attrs for _, attrs in OUTLINE.elements if "style" in attrs or "onclick" in attrs]
    assert inline == []


def test_ids_are_unique_and_references_lead_somewhere():
    ids = [attrs["id"] for _, attrs in OUTLINE.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = {attrs["aria-controls"] for _, attrs in OUTLINE.elements if "aria-controls" in attrs}
    wanted |= {attrs["href"][1:] for attrs in OUTLINE.all("a") if attrs["href"].startswith("#")}
    wanted |= {attrs["aria-labelledby"] for attrs in OUTLINE.all("section")}
    assert wanted <= set(ids)


def test_links_lead_from_the_pages_place_to_objects_in_the_store():
    links = {attrs["href"] for attrs in OUTLINE.all("a") if not attrs["href"].startswith("#")}
    up = "../" * layout.fleet_report(RUN).count("/")
    assert up + layout.drift_report(PRODUCT, "ua", WINDOWS[-1]) in links
    assert all(link.startswith(f"{up}tenants/{PRODUCT}/") for link in links)


@pytest.mark.parametrize(
    "words",
    [
        "arrival-delay · as of 2013-11-01 UTC",
        "yv in ingest ContractError",
        "wind_gust: missing in every row; take it off the contract",
        "Its shard died in predict; predict and monitor stay due for the next run.",
        "stacked since 2013-10-01",
        "paused since its spec says so: nothing is due",
        "train judged as decayed: log loss is worse than promised 1",
        "Decayed: log loss .520 (.480 to .560) against the promised .410",
        "It was due for training in this run.",
        "log loss .520 realised, .480 to .560; .410 promised",
        "Evidently report of 2013-10-22 to 2013-10-29",
    ],
)
def test_what_the_page_says(words):
    assert words in OUTLINE.words


def test_all_went_well_shows_no_section_of_failures():
    page = render_page(read_fleet(make_fleet(failing=False), RUN), "SUCCEEDED")
    assert "What failed" not in page
    assert 'class="verdict good"' in page or 'class="verdict fair"' in page


def test_a_plan_that_did_not_finish_shows_the_stores_fleet():
    outline = Outline(render_page(read_fleet(make_fleet(), "next", PRODUCT), "FAILED"))
    assert "The plan did not finish (the run ended as FAILED)" in outline.words
    assert "15 tenants 15 with a champion" in outline.words
    assert "Where the CPU went" not in outline.words


def test_an_empty_store():
    page = render_page(read_fleet(MemoryStore(), "next", PRODUCT), "SUCCEEDED")
    assert "There is no tenant in the store." in page


def test_the_same_store_gives_the_same_page():
    assert render_page(read_fleet(make_fleet(), RUN), "FAILED") == PAGE


HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "{{$.inputs.parameters['x']}}",
    "{{ 7 * 7 }} {% raw %}",
    '=HYPERLINK("http://x")',
    "</script></style><!--",
    "javascript:alert(1)",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text):
    outcome = Outcome(
        stage="train", status="failed", kind=text, message=text, keys=(f"tenants/a/ua/{text}",)
    )
    due = Due(action="train", reason=text)
    member = Member(
        tenant="ua",
        planned=Planned(shard="large", due=(due,), note=text, region=text),
        entry=Entry(tenant="ua", due=(due,), outcomes=(outcome,)),
        judgement=make_judgement("ua", WINDOWS[0]).model_copy(
            update={"sentence": text, "report": text}
        ),
    )
    plan = TROUBLED.plan.model_copy(update={"title": text})
    outline = Outline(render_page(FleetState(text, text, plan, (member,), {text: text}), text))
    assert (outline.faults, outline.open) == ([], [])
    assert len(outline.all("script")) == 1
    assert outline.all("img") == []
    assert [attrs for _, attrs in outline.elements if "onmouseover" in attrs] == []
    assert all(attrs["href"].startswith(("#", "../")) for attrs in outline.all("a"))
    assert outline.words.count(" ".join(text.split())) >= 8


def test_orders_of_people_are_told_with_their_reasons():
    store = make_tenant_under_orders()
    page = render_page(read_fleet(store, "none", PRODUCT), "SUCCEEDED")
    words = Outline(page).words
    assert "rolled back, pinned" in words
    assert words.count("by ann: it is late too often") == 2
    text = to_markdown(read_fleet(store, "none", PRODUCT), "SUCCEEDED")
    assert f"{version(0)} (rolled back, pinned)" in text.replace("\\", "")


def make_tenant_under_orders():
    store = MemoryStore()
    make_tenant(store)
    move = find_rollback(store, PRODUCT, "ua", Aim(), order=ORDER)
    make_rollback(store, PRODUCT, move)
    pin(store, PRODUCT, "ua", order=ORDER)
    return store


def test_a_champion_of_a_hostile_gate_stays_text():
    reign = make_reign("ua", WINDOWS[0].start, 0.4, recipe="<b>", gate="<i>promoted</i>")
    member = TROUBLED.members[1]
    champion = member.champion.model_copy(update={"reigns": (reign,)})
    changed = FleetState(RUN, PRODUCT, None, (Member(tenant="ua", champion=champion),))
    outline = Outline(render_page(changed, "SUCCEEDED"))
    assert "<i>promoted</i>" in outline.words
    assert outline.all("i") == []


def test_alarms_and_weeks_lead_to_the_tenants_pages():
    links = [attrs["href"] for attrs in OUTLINE.all("a")]
    page = "../" * 2 + layout.monitoring_page(PRODUCT, "vx", WINDOWS[-1])
    assert links.count(page) == 3
    assert "✕ worse than promised" in OUTLINE.words


def test_of_a_large_fleet_only_the_tenants_in_trouble_unfold():
    rows = {f"t{n:03}": 500 for n in range(310)} | {"yv": 400, "vx": 300}
    outline = Outline(render_page(read_fleet(make_fleet(rows=rows, weeks=0), RUN), "FAILED"))
    unfold = [attrs["aria-controls"] for attrs in outline.all("button") if "aria-controls" in attrs]
    assert len(unfold) == 300
    assert {"d-yv", "d-vx"} <= set(unfold)
    assert len([attrs for attrs in outline.all("tbody") if "data-state" in attrs]) == 313


def test_what_a_whole_fleet_shares_does_not_make_the_page_grow_with_it():
    names = [f"t{n:03}" for n in range(130)]
    failed = Outcome(stage="ingest", status="failed", kind="SourceError", message="no such table")
    due = (Due(action="train", reason="no model yet"),)
    members = tuple(
        Member(
            tenant=name,
            planned=Planned(shard="one", due=due),
            entry=Entry(tenant=name, due=due, outcomes=(failed,)),
        )
        for name in names
    )
    plan = TROUBLED.plan
    page = render_page(FleetState(RUN, PRODUCT, plan, members), "FAILED")
    above, _ = page.split('<h2 id="tenants">')
    assert above.count('<li class="failed">') == 100
    assert "… and 30 more: the table below" in above
    assert f'title="{", ".join(names[:20])} and 110 more"' in page
