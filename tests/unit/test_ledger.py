import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.ledger import Cost, Due, Entry, Header, Ledger, Outcome
from tenantry.times import Window, parse_moment

AS_OF = parse_moment("2013-10-01")
HEADER = Header(run="r1", product="p", as_of=AS_OF, shard="ua")
WINDOW = Window(parse_moment("2013-09-24"), AS_OF)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
OUTCOMES = st.builds(
    Outcome,
    stage=st.sampled_from(["ingest", "train"]),
    status=st.sampled_from(["done", "fell_back", "skipped", "failed"]),
    message=TEXT,
    facts=st.dictionaries(TEXT, st.none() | st.booleans() | st.integers(-9, 9) | TEXT, max_size=3),
    cost=st.builds(Cost, cpu_seconds=st.floats(0, 9), bytes_read=st.integers(0, 9)),
)
ENTRIES = st.lists(
    st.builds(Entry, tenant=TEXT, outcomes=st.lists(OUTCOMES, max_size=2).map(tuple)),
    unique_by=lambda entry: entry.tenant,
    max_size=5,
)


@given(ENTRIES, st.randoms())
def test_lines_give_back_the_ledger_whatever_the_order(entries, random):
    ledger = Ledger(header=HEADER, entries=tuple(entries))
    lines = ledger.to_lines()
    shuffled = Ledger(header=HEADER, entries=tuple(random.sample(entries, len(entries))))
    assert shuffled.to_lines() == lines
    back = Ledger.from_lines(lines, "x")
    assert sorted(back.entries, key=lambda e: e.tenant) == sorted(entries, key=lambda e: e.tenant)
    assert back.to_lines() == lines


def test_an_entry_answers_what_is_due_and_done():
    due = Due(action="predict", reason="open", windows=(WINDOW.id,))
    entry = Entry(tenant="ua", due=(due,)).with_outcome(
        Outcome(stage="ingest", status="failed", kind="SourceError", facts={"rows": 3})
    )
    assert entry.due_for("train") is None
    assert entry.windows("predict") == (WINDOW,)
    assert entry.windows("train") == ()
    assert entry.fact("ingest", "rows") == 3
    assert entry.fact("train", "rows") is None
    assert [failure.kind for failure in entry.failures] == ["SourceError"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "k:1 is not a Header"),
        (HEADER.to_json() + b'\n{"tenant": 3}\n', "k:2 is not a Entry: tenant"),
        (b'{"run": "r", "unknown": 1}', "k:1 is not a Header"),
    ],
)
def test_what_is_no_ledger_is_refused_with_its_place(content, words):
    with pytest.raises(ValueError, match=words):
        Ledger.from_lines(content, "k")


@pytest.mark.parametrize("part", ['"facts":{"rows":%s}', '"cost":{"tries":%s}'])
def test_counts_beyond_all_floats_are_no_outcome(part):
    said = '{"stage":"train","status":"done",' + part + "}"
    assert Outcome.from_json((said % 7).encode(), "x")
    with pytest.raises(ValueError, match="x is not a Outcome"):
        Outcome.from_json((said % ("9" * 400)).encode(), "x")
