"""Our pages in a real browser: readable at both widths, quiet, accessible, usable by keyboard."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tenantry.fleet import read_fleet
from tenantry.report.insights_page import render_insights_page
from tenantry.report.model_card import card_page_key
from tenantry.report.page import render_page
from tenantry.report.tenant_page import render_tenant_page
from tests.servers.chromium import Visit
from tests.unit.insights.told import make_insights, with_peers
from tests.unit.report.made_card import make_tenancy, promoted
from tests.unit.report.made_fleet import ROWS, RUN, make_fleet
from tests.unit.report.made_tenant import make_facts

NARROW, WIDE = 390, 1280
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"], "resultTypes": ["violations"]}
CUT_OFF = """() => [...document.querySelectorAll(".badge, .tick, h1, h2, th, td")]
  .filter((one) => one.offsetParent !== null || one.ownerSVGElement)
  .filter((one) => !one.closest(".hidden, details:not([open])"))
  .filter((one) => {
    const box = one.getBoundingClientRect();
    const frame = one.closest("table, svg")?.getBoundingClientRect();
    const spills = one.scrollWidth > one.clientWidth + 1 && one.matches("th, td");
    return frame && box.width && (spills || box.right > frame.right + 1);
  }).map((one) => one.textContent)"""
"""The texts that reach beyond the right edge of their table or chart, or into the next cell."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Name → file."""
    tenancy = make_tenancy()
    card = tenancy.store.get(
        card_page_key("arrival-delay", "ua", promoted(tenancy))
    ).content.decode()
    rows = ROWS | {f"t{n:03}": 400 for n in range(60)}
    made = {
        "fleet": render_page(read_fleet(make_fleet(), RUN), "FAILED"),
        "large": render_page(read_fleet(make_fleet(rows=rows, weeks=3), RUN), "FAILED"),
        "tenant": render_tenant_page(make_facts()),
        "card": card,
        "insights": render_insights_page(with_peers(make_insights())),
    }
    folder = tmp_path_factory.mktemp("pages")
    for name, text in made.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in made}


@pytest.mark.parametrize(("width", "scheme"), [(WIDE, "light"), (NARROW, "dark")])
@pytest.mark.parametrize("name", ["fleet", "tenant", "card", "insights"])
def test_pages_are_readable_quiet_and_accessible(browser, pages, name, width, scheme):
    with Visit(browser, pages[name], width=width, scheme=scheme) as visit:
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        assert visit.page.evaluate(CUT_OFF) == []
        found = Axe().run(visit.page, options=RULES).response["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        assert [(one["id"], one["nodes"][0]["html"]) for one in serious] == []
        assert visit.faults == []


def test_values_of_insights_do_not_break_on_a_telephone(browser, pages):
    with Visit(browser, pages["insights"], width=NARROW) as visit:
        heights = (
            "[...document.querySelectorAll('.weights td.number')].map(one => one.clientHeight)"
        )
        assert max(visit.page.evaluate(heights)) < 40


def test_the_search_finds_any_tenant_by_keyboard_alone(browser, pages):
    with Visit(browser, pages["large"]) as visit:
        page = visit.page
        assert not page.locator("#heat-worst tr", has_text="t059").count()
        page.locator("#heat-search").focus()
        page.keyboard.type("t05")
        assert page.locator("#heat-found").inner_text().startswith("10 of ")
        assert page.locator("#heat-matches tr").count() == 10
        assert not page.locator("#heat-worst").is_visible()
        page.keyboard.press("Tab")  # the region scrolls
        page.keyboard.press("Tab")
        link = page.evaluate("document.activeElement.getAttribute('href')")
        assert link.startswith("../../tenants/arrival-delay/t050/monitoring/")
        cells = "document.querySelector('#heat-{} tr').lastChild.outerHTML"
        found, worst = (page.evaluate(cells.format(one)) for one in ("matches", "worst"))
        assert "as promised" in found
        assert "worse than promised" in worst
        assert visit.faults == []


def test_the_fleet_can_be_read_by_keyboard(browser, pages):
    with Visit(browser, pages["fleet"]) as visit:
        page = visit.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the tenants"
        fold = page.locator("#t-vx .fold")
        assert not page.locator("#d-vx").is_visible()
        fold.focus()
        page.keyboard.press("Enter")
        assert page.locator("#d-vx").is_visible()
        page.keyboard.press("Space")
        assert not page.locator("#d-vx").is_visible()
        assert visit.faults == []


def test_a_tenants_windows_unfold_to_a_table(browser, pages):
    with Visit(browser, pages["tenant"], width=NARROW) as visit:
        table = visit.page.locator(".past")
        assert not table.is_visible()
        visit.page.locator("section[aria-labelledby=windows] summary").press("Enter")
        assert table.is_visible()
        assert table.locator("tbody tr").count() == 51
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= NARROW
