"""Hostile text in data and specs stays text: in the store, in every page, file and terminal."""

import io
import json
import os
from html import unescape
from html.parser import HTMLParser

import pandas as pd
import pytest
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from pipelines.local import run_local
from tenantry.cli.app import app
from tests.fleet.harness import PRODUCT
from tests.servers.chromium import Visit, chromium_running

OCTOBER, NOVEMBER = "2013-10-01", "2013-11-01"
RUN = "document.title='run'"
HOSTILE = (
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f'<img src=x onerror="{RUN}">',
    "<b>bold</b> &amp; <!--",
    '=HYPERLINK("http://x.example","y")',
    "=1+1",
    "{{$.inputs.parameters['product']}}",
    "{{ 7 * 7 }} {% raw %}",
    "a'b\"c`d\\",
    "${HOME} $(id) `id`",
    "two\nlines",
    f"[x](javascript:{RUN}) | **bold** #",
    "\x1b[31mred\x1b[0m\x07",
    "\u202etfel ot thgir",
)
PRINTABLE = [text for text in HOSTILE if text.isprintable()]
"""What a spec may hold; control characters are no text there."""

SPEC = "pooling: {contribute: false}\nfeatures:\n" + "".join(
    f"  {name}: {{{part}title: {json.dumps(title)}, unit: {json.dumps(unit)}}}\n"
    for (name, part), title, unit in zip(
        {
            "seats": "kind: numeric, ",
            "temp": "",
            "dewp": "",
            "humid": "",
            "distance": "",
            "pressure": "",
            "late_1d": "",
            "delay_3h": "",
            "visib": "",
            "precip": "",
            "wind_speed": "",
        }.items(),
        PRINTABLE,
        PRINTABLE[1:] + PRINTABLE[:1],
        strict=True,
    )
)
SPEC += f"  tail: {{kind: categorical, column: tailnum, title: {json.dumps(PRINTABLE[0])}}}\n"
SPEC += f"description: {json.dumps(' '.join(PRINTABLE))}\n"
TAMED = frozenset("\x1b\x07\u202e")
BESIDE = ("report.html", "judgement.json", "bill.csv")
VERBS = (
    ("status", PRODUCT),
    ("show", PRODUCT, "pi"),
    ("history", PRODUCT, "pi"),
    ("monitor", PRODUCT, "pi"),
    ("insights", PRODUCT, "pi"),
    ("plan", PRODUCT, "--as-of", "2013-12-01"),
)


def hostile(rows):
    """Airline VX under another name, with hostile keys, categories and texts."""
    texts = pd.Series([HOSTILE[n % len(HOSTILE)] for n in range(len(rows))], index=rows.index)
    return rows.assign(carrier="PI", dest=texts, tailnum=texts)


def add_hostile(flights):
    return pd.concat([flights, hostile(flights[flights["carrier"] == "VX"])], ignore_index=True)


def hostile_product(text):
    titles = map(json.dumps, PRINTABLE[:2])
    text = text.replace("title: Late arrivals", f"title: {next(titles)}", 1)
    text = text.replace("title: arrives more than 15 minutes late", f"title: {next(titles)}", 1)
    return text.replace(
        "key: [carrier, flight, sched_dep_at]", "key: [carrier, flight, sched_dep_at, tailnum]", 1
    )


class Elements(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.links, self.handlers = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


@pytest.fixture
def fleet(make_fleet, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.path.abspath("src"), os.getcwd()]))
    return make_fleet(change=add_hostile, tenants={"pi": SPEC}, product=hostile_product)


def test_hostile_text_stays_text(fleet, tmp_path):
    first = fleet.run(OCTOBER, "run-1", tenants="pi,oo")
    assert first.failures() == {}
    parameters = {"product": PRODUCT, "as_of": NOVEMBER, "tenants": "pi,oo", "max_shards": 1}
    done = run_local(parameters, NOVEMBER, fleet.home / "compiled", quiet=True)
    assert done.succeeded, done.log.read_text()[-3000:]
    objects = fleet.objects(runs=True)
    check_data(objects)
    check_pages({key: one for key, one in objects.items() if key.endswith(".html")}, tmp_path)
    check_markdown(fleet)
    check_terminals(done.log.read_text(), fleet)


def check_data(objects):
    """The text itself is kept, wherever data are."""
    for key, column in (("/chunks/", "dest"), ("/predictions/", "tailnum")):
        found = [one for name, one in objects.items() if key in name and "/pi/" in name]
        tables = [pd.read_parquet(io.BytesIO(one)) for one in found if one[:4] == b"PAR1"]
        assert {text for table in tables for text in table[column]} == set(HOSTILE), key
    frozen = [one for key, one in objects.items() if key.startswith("runs/") and b"onerror" in one]
    assert frozen, "the frozen specs hold the titles"
    for key, content in objects.items():
        if key.endswith(".json"):
            json.loads(content)
        elif key.endswith(".jsonl"):
            assert [json.loads(line) for line in content.splitlines()]


def check_pages(pages, folder):
    assert any("/monitoring/" in key for key in pages), "Evidently's page is among them"
    assert sum(key.startswith("runs/") for key in pages) == 2
    with chromium_running() as browser:
        check_each(browser, pages, folder)


def check_each(browser, pages, folder):
    for number, (key, content) in enumerate(pages.items()):
        page = Elements(content.decode())
        assert (page.handlers, page.tags.count("img")) == ([], 0), key
        own = key.endswith(("card.html", "page.html", "insights.html"))
        assert page.tags.count("script") == (4 if "/monitoring/" in key else 1) * (not own), key
        assert all(link.startswith(("#", "../", "data:", *BESIDE)) for link in page.links), key
        assert TAMED.isdisjoint(content.decode()), key
        path = folder / f"page-{number}.html"
        path.write_bytes(content)
        with Visit(browser, path) as visit:
            assert visit.faults == [], key
            assert visit.page.title() != "run", key
        if not own or "/pi/" in key:
            assert RUN in unescape(content.decode()), "it is there, as text"


def check_markdown(fleet):
    parse = MarkdownIt("commonmark", {"html": True}).enable("table").render
    paths = [*(fleet.home / "files").rglob("*.md"), *(fleet.home / "compiled").rglob("summary")]
    texts = [path.read_text() for path in (*paths, *(fleet.home / "compiled").rglob("verdict"))]
    assert len(texts) > 12
    for text in texts:
        page = Elements(parse(text))
        assert page.links == []
        assert set(page.tags) <= {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td"}
        assert TAMED.isdisjoint(text)


def check_terminals(log, fleet):
    assert not any(text in log for text in HOSTILE), "no row is quoted"
    fleet.enter()
    for verb in VERBS:
        for form in ("table", "json"):
            shown = CliRunner().invoke(app, [*verb, "--output", form], env={"COLUMNS": "200"})
            assert shown.exit_code in (0, 2), shown.output
            assert TAMED.isdisjoint(shown.output), verb
