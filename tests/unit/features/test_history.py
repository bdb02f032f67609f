"""History counts what was known when the row became known, and nothing else."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.features.history import past_statistic
from tests.unit.features.conftest import make_rows, parse_features

NEW_YORK = "America/New_York"
DAY = 1440


def history(**fields):
    declared = {"kind": "history", "of": "label", "over": "7d", **fields}
    return parse_features({"any": declared})["any"]


def part(row, name):
    """Return the local hour or weekday of a row."""
    local = row["event_time"].tz_convert(NEW_YORK)
    return local.hour if name == "hour" else local.weekday()


def by_hand(rows, feature):
    """Compute it row by row, as the docs say it."""
    found, records = [], rows.to_dict("records")
    for i, row in enumerate(records):
        counted = [
            other[feature.of]
            for j, other in enumerate(records)
            if j != i
            and all(str(row[name]) == str(other[name]) for name in feature.by)
            and (feature.same is None or part(row, feature.same) == part(other, feature.same))
            and row["known_at"] - feature.over < other["label_known_at"] <= row["known_at"]
            and np.isfinite(other[feature.of])
        ]
        if feature.statistic == "count":
            found.append(len(counted))
        else:
            enough = len(counted) >= feature.min_rows
            found.append(np.sum(counted) / len(counted) if enough else np.nan)
    return np.array(found, dtype=np.float64)


@st.composite
def random_rows(draw):
    size = draw(st.integers(0, 14))
    column = lambda values: draw(st.lists(values, min_size=size, max_size=size))  # noqa: E731
    minutes = column(st.integers(295, 307))  # around midnight in New York
    texts, numbers = st.sampled_from(["x", "y", None]), st.sampled_from([1.0, 2.0, np.nan])
    return make_rows(
        minutes,
        known=column(st.integers(295, 307)),
        learned=column(st.one_of(st.integers(295, 309), st.just(np.nan))),
        label=np.array(column(st.sampled_from([0.0, 1.0, np.nan])), dtype=np.float64),
        late=np.array(column(st.sampled_from([-3.0, 40.0, 0.1, np.nan, np.inf])), dtype=np.float64),
        dest=pd.Series(column(texts), dtype="str"),
        origin=np.array(column(numbers), dtype=np.float64),
    )


FIELDS = st.fixed_dictionaries(
    {
        "of": st.sampled_from(["label", "late"]),
        "by": st.sampled_from([(), ("dest",), ("dest", "origin")]),
        "same": st.sampled_from([None, "hour", "weekday"]),
        "statistic": st.sampled_from(["mean", "count"]),
        "over": st.sampled_from(["1m", "3m", "1d"]),
        "min_rows": st.integers(1, 3),
    }
)


@given(rows=random_rows(), fields=FIELDS)
def test_agrees_with_a_loop_over_pairs_of_rows(rows, fields):
    feature = history(**fields)
    np.testing.assert_array_equal(past_statistic(rows, feature, NEW_YORK), by_hand(rows, feature))


@pytest.mark.parametrize(
    ("learned", "counts"),
    [
        (8 * DAY + 1, False),  # a minute after the row was known
        (8 * DAY, True),  # at that very moment
        (DAY + 1, True),
        (DAY, False),  # exactly seven days before
    ],
)
def test_the_span_is_open_at_its_old_end_and_closed_at_its_new_one(learned, counts):
    rows = make_rows([0, 8 * DAY], learned=[learned, 20 * DAY], label=[1.0, 0.0])
    assert past_statistic(rows, history(statistic="count"), NEW_YORK).tolist() == [0, float(counts)]
    expected = [np.nan, 1.0 if counts else np.nan]
    np.testing.assert_array_equal(past_statistic(rows, history(), NEW_YORK), expected)


def test_a_row_never_counts_itself_even_if_its_label_comes_first():
    rows = make_rows([0, 10], known=[5, 10], learned=[1, 2], label=[1.0, 0.0])
    assert past_statistic(rows, history(), NEW_YORK).tolist() == [0.0, 1.0]


def test_too_few_rows_leave_a_mean_missing_but_not_a_count():
    rows = make_rows([0, 1, 2 * DAY], label=[1.0, 0.0, np.nan])
    few = {"min_rows": 3}
    assert np.isnan(past_statistic(rows, history(**few), NEW_YORK)).all()
    assert past_statistic(rows, history(statistic="count", **few), NEW_YORK).tolist() == [0, 0, 2]
