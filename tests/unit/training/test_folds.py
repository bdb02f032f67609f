"""Cuts in time: what may be seen when."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from tenantry.training.folds import Spans, happened_in, known_by, local_days, pooled_cuts
from tests.unit.tiny_fleet import AS_OF, make_spec


def moments(*days):
    return pd.Series([pd.Timestamp(AS_OF) + pd.Timedelta(days=day) for day in days])


def table(event, known, label_known, label):
    return pd.DataFrame(
        {
            "event_time": moments(*event),
            "known_at": moments(*known),
            "label_known_at": moments(*label_known),
            "label": label,
        }
    )


@pytest.mark.parametrize(
    ("event", "known", "label_known", "label", "expected"),
    [
        (-3, -3, -1, 1.0, True),
        (-3, -3, 0, 0.0, True),
        (-3, -3, 0.1, 1.0, False),
        (-3, -3, -1, float("nan"), False),
        (0, 0, 0, 1.0, False),
        (-1, 0, 0, 1.0, False),
        (1, -3, -1, 1.0, False),
    ],
    ids=["past", "at the cut", "later", "no label", "happens now", "known now", "label before"],
)
def test_only_past_rows_with_a_known_label_are_learned_from(
    event, known, label_known, label, expected
):
    row = table([event], [known], [label_known], [label])
    assert known_by(row, AS_OF).tolist() == [expected]


def test_spans_are_half_open():
    rows = table([-2, -1, 0], [-2, -1, 0], [0, 0, 0], [1.0, 1.0, 1.0])
    start, end = AS_OF - timedelta(days=2), AS_OF
    assert happened_in(rows, start, end).tolist() == [True, True, False]


def test_spans_follow_the_spec():
    spec = make_spec(model={"validation": "14d"}, gate={"holdout": "7d"})
    spans = Spans.of(spec, AS_OF)
    assert (AS_OF - spans.holdout).days == 7
    assert (AS_OF - spans.validation).days == 21


def test_days_are_local():
    late, next_day = datetime(2013, 7, 1, 3, tzinfo=UTC), datetime(2013, 7, 1, 5, tzinfo=UTC)
    found = local_days(pd.Series(pd.to_datetime([late, next_day])), "America/New_York")
    assert (found[1] - found[0], pd.Timestamp(found[0], unit="D").day) == (1, 30)


@pytest.mark.parametrize(
    ("number", "expected"),
    [(2, [56, 28]), (3, [137, 56, 28]), (4, [164, 110, 56, 28]), (5, [177, 137, 97, 56, 28])],
)
def test_pooled_cuts_end_with_validation_and_holdout(number, expected):
    spans = Spans.of(make_spec(), AS_OF)
    cuts = pooled_cuts(AS_OF - timedelta(days=217), spans, number)
    assert [(AS_OF - cut).days for cut in cuts] == expected


@pytest.mark.parametrize(("age", "expected"), [(20, []), (40, [28]), (57, [56, 28])])
def test_short_histories_have_fewer_cuts(age, expected):
    spans = Spans.of(make_spec(), AS_OF)
    cuts = pooled_cuts(AS_OF - timedelta(days=age), spans, 5)
    assert [(AS_OF - cut).days for cut in cuts] == expected
