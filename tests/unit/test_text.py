import pytest

from tenantry.ledger import Outcome
from tenantry.summaries import as_text
from tenantry.text import counted, is_text, plain

TEXTS = ["", "a b", "línea\nzwei", "<b>{{$.x}}</b>", "日本", "🛫", "שלום"]
NO_TEXTS = {
    "\t": r"\t",
    "\x00": r"\x00",
    "\x1b[1m": r"\x1b[1m",
    "é\x9b": r"é\x9b",
    "a\u202eb": r"a\u202eb",
    "\ud800": r"\ud800",
    "a\rb\nc": "a\\rb\nc",
    "\u2028": r"\u2028",
}


@pytest.mark.parametrize("text", TEXTS)
def test_plain_text_is_shown_as_it_is(text):
    assert is_text(text)
    assert plain(text) == text


@pytest.mark.parametrize(("text", "shown"), NO_TEXTS.items(), ids=NO_TEXTS.values())
def test_what_commands_a_terminal_or_misleads_is_shown_as_an_escape(text, shown):
    assert not is_text(text)
    assert plain(text) == shown
    assert Outcome(stage="ingest", status="failed", message=text).message == shown
    assert as_text(text) == as_text(shown)


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 windows"), (1, "1 window"), (2_000, "2,000 windows")]
)
def test_a_number_is_told_with_its_noun(number, said):
    assert counted(number, "window") == said
