"""Which of two entries of a tenant counts, whoever writes first."""

from functools import reduce
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from tenantry.serving.entries import Entry
from tests.unit.serving.made_entries import entry


def test_a_backfill_of_long_ago_leaves_the_newer_past():
    assert entry(2, day=0).after(entry(2, day=9)).online == "online-9"


ENTRIES = st.builds(entry, st.integers(1, 4), st.integers(0, 4))


@given(st.lists(ENTRIES, min_size=1, max_size=4, unique_by=lambda one: (one.counter, one.as_of)))
def test_in_whatever_order_entries_are_written_the_same_counts(entries):
    def join(known, one):
        return one.after(known)

    ends = {reduce(join, order, None).to_json() for order in permutations(entries)}
    assert len(ends) == 1
    last = Entry.from_json(ends.pop(), "entry")
    assert last.counter == max(one.counter for one in entries)
    assert last.as_of == max(one.as_of for one in entries)
