"""Congestion counts the rows just before, as far as they were known."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from tenantry.features.congestion import rows_before
from tests.unit.features.conftest import make_rows, parse_features


def congestion(**fields):
    return parse_features({"any": {"kind": "congestion", "over": "60m", **fields}})["any"]


def by_hand(rows, feature):
    """Compute it row by row, as the docs say it."""
    records = rows.to_dict("records")
    return [
        sum(
            j != i
            and all(str(row[name]) == str(other[name]) for name in feature.by)
            and row["event_time"] - feature.over < other["event_time"] <= row["event_time"]
            and other["known_at"] <= row["known_at"]
            for j, other in enumerate(records)
        )
        for i, row in enumerate(records)
    ]


@st.composite
def random_rows(draw):
    size = draw(st.integers(0, 14))
    column = lambda values: draw(st.lists(values, min_size=size, max_size=size))  # noqa: E731
    minutes = column(st.integers(0, 12))
    leads = column(st.integers(-5, 5)) if draw(st.booleans()) else [3] * size
    known = [minute - lead for minute, lead in zip(minutes, leads, strict=True)]
    dest = pd.Series(column(st.sampled_from(["x", "y", None])), dtype="str")
    return make_rows(minutes, known=known, dest=dest)


@given(
    rows=random_rows(),
    by=st.sampled_from([(), ("dest",)]),
    over=st.sampled_from(["1m", "4m", "60m"]),
)
def test_agrees_with_a_loop_over_pairs_of_rows(rows, by, over):
    feature = congestion(by=by, over=over)
    assert rows_before(rows, feature).tolist() == by_hand(rows, feature)


def test_rows_of_the_same_moment_count_and_the_span_is_open_at_its_old_end():
    rows = make_rows([0, 60, 61, 61])
    assert rows_before(rows, congestion()).tolist() == [0, 0, 2, 2]


def test_a_row_that_was_not_yet_known_does_not_count():
    rows = make_rows([0, 10, 20], known=[0, 20, 10])
    assert rows_before(rows, congestion()).tolist() == [0, 1, 1]
    assert rows_before(rows, congestion()).dtype == np.float64
