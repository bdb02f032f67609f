import numpy as np
import pandas as pd
import pytest

from tenantry.features.recipe import table_features
from tenantry.reason_columns import reason_array
from tenantry.reasons import Reason, row_reasons, title, value_in_words
from tenantry.specs.features import (
    CalendarFeature,
    CategoricalFeature,
    CongestionFeature,
    HistoryFeature,
    MissingFeature,
    NumericFeature,
)
from tests.unit.tiny_fleet import FEATURES, make_spec

WIND = NumericFeature(kind="numeric", unit="kn")
DEST = CategoricalFeature(kind="categorical")
HISTORY = HistoryFeature(kind="history", of="delay", over="7d", unit="min")
BUSY = CongestionFeature(kind="congestion", over="3h", unit="flights")
GUSTLESS = MissingFeature(kind="missing", column="gust")


def clock(part: str) -> CalendarFeature:
    return CalendarFeature(kind="calendar", part=part)


@pytest.mark.parametrize(
    ("value", "feature", "words"),
    [
        (12.0, WIND, "12 kn"),
        (1234.567, WIND, "1,234.57 kn"),
        (0.012345, WIND, "0.0123 kn"),
        (-3.5, HISTORY, "-3.5 min"),
        (-0.0, HISTORY, "0 min"),
        (17.0, BUSY, "17 flights"),
        (np.nan, WIND, "missing"),
        ("", DEST, "missing"),
        ("LAX", DEST, "LAX"),
        ('=HYPERLINK("x")', DEST, '=HYPERLINK("x")'),
        (1.0, GUSTLESS, "yes"),
        (0.0, GUSTLESS, "no"),
        (17.0, clock("hour"), "17:00"),
        (1055.0, clock("minute_of_day"), "17:35"),
        (0.254, NumericFeature(kind="numeric", unit="share"), "25%"),
        (0.0, clock("weekday"), "Monday"),
        ("ua", None, "ua"),
        ("", None, ""),
    ],
)
def test_values_in_words(value, feature, words):
    assert value_in_words(value, feature) == words


@pytest.mark.parametrize(
    ("name", "feature", "words"),
    [
        ("wind", NumericFeature(kind="numeric", title="Wind speed"), "Wind speed"),
        ("route_delay", HISTORY, "route delay"),
        ("pooled.route_delay", HISTORY, "route delay"),
        ("tenant", None, "tenant"),
        ("pooled_score", None, "score of the pooled model"),
    ],
)
def test_titles(name, feature, words):
    assert title(name, feature) == words


SPEC = make_spec(features=FEATURES | {"wind": {"kind": "numeric", "unit": "kn"}})
TABLE = pd.DataFrame({"wind": [12.0, np.nan], "dest": ["LAX", "<b>"], "hour": [6.0, 7.0]})
PARTS = pd.DataFrame(
    {"wind": [0.1, -0.7], "dest": [-0.5, 0.0], "tenant": [0.2, 0.7], "hour": [0.0, 0.0]}
)


def top_reasons(top, **more):
    array = reason_array(PARTS, TABLE, SPEC, top=top, **more)
    return [some and [Reason(**one) for one in some] for some in array.to_pylist()]


def test_reasons_are_the_largest_contributions_first():
    first, second = top_reasons(2)
    assert first == [Reason("dest", "dest", "LAX", -0.5), Reason("tenant", "tenant", "ua", 0.2)]
    assert second == [
        Reason("wind", "wind", "missing", -0.7),
        Reason("tenant", "tenant", "ua", 0.7),
    ]
    assert top_reasons(0) == [[], []]
    assert [len(reasons) for reasons in top_reasons(9)] == [3, 2]


def test_rows_that_do_not_ask_have_none():
    asked = np.array([False, True, False, True])
    before, first, between, second = top_reasons(2, asked=asked)
    assert (before, between) == (None, None)
    assert [first, second] == top_reasons(2)


@pytest.mark.parametrize("top", [0, 2, 9])
def test_a_row_alone_has_the_same_reasons(top):
    rows, parts = TABLE.to_dict("records"), PARTS.to_dict("records")
    singly = [
        row_reasons(weights, row, table_features(SPEC), top=top, tenant="ua")
        for weights, row in zip(parts, rows, strict=True)
    ]
    assert singly == top_reasons(top)
