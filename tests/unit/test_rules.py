"""Thresholds by cost and by rate, and intervals that hold what they say."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.rules import MIN_ROWS, Rules, conformal_interval, needs_evaluation, settle_rules
from tests.unit.tiny_fleet import make_spec

REGRESSION = {"label": {"column": "arr_delay", "task": "regression"}, "model": {"metric": "mae"}}


def spec(**predict):
    return make_spec(predict={"window": "7d", "start": "2013-09-03"} | predict)


def evaluation(scores, label=0.0):
    return pd.DataFrame({"challenger": scores, "label": label})


def test_a_number_is_the_threshold():
    assert settle_rules(spec(threshold=0.4), None) == Rules(threshold=0.4)
    assert not needs_evaluation(spec(threshold=0.4))


@given(st.floats(0.01, 100), st.floats(0.01, 100), st.floats(0, 1))
def test_from_the_threshold_by_cost_a_yes_costs_less(false_positive, false_negative, chance):
    costs = {"false_positive": false_positive, "false_negative": false_negative}
    threshold = settle_rules(spec(threshold=costs), None).threshold
    yes, no = (1 - chance) * false_positive, chance * false_negative
    if not np.isclose(yes, no):
        assert (chance >= threshold) == (yes < no)


@given(st.lists(st.floats(0, 1), min_size=MIN_ROWS, max_size=200), st.floats(0.01, 0.99))
def test_the_threshold_by_rate_is_reached_by_about_that_share(scores, rate):
    threshold = settle_rules(spec(threshold={"target_rate": rate}), evaluation(scores)).threshold
    reached = np.mean(np.array(scores) >= threshold)
    above = np.mean(np.array(scores) > threshold)
    assert above <= rate
    assert reached > rate - 1 / (len(scores) - 1) or reached == pytest.approx(rate)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(None, id="no holdout"),
        pytest.param(evaluation(np.full(MIN_ROWS - 1, 0.9)), id="small holdout"),
        pytest.param(evaluation(np.full(100, np.nan)), id="no such model before the holdout"),
    ],
)
def test_without_scores_the_other_threshold_holds(found):
    rule = {"target_rate": 0.1, "otherwise": 0.7}
    assert settle_rules(spec(threshold=rule), found).threshold == 0.7
    assert needs_evaluation(spec(threshold=rule))


def test_intervals_are_only_for_regressions_that_ask():
    residuals = evaluation(np.zeros(99), np.arange(99.0))
    assert settle_rules(make_spec(**REGRESSION), residuals) == Rules()
    asked = make_spec(
        **REGRESSION, predict={"window": "7d", "start": "2013-09-03", "interval": 0.9}
    )
    interval = settle_rules(asked, residuals).interval
    assert (interval.low, interval.high, interval.rows) == (4, 94, 99)
    assert needs_evaluation(asked)


@pytest.mark.parametrize(("level", "needed"), [(0.8, 9), (0.9, 19), (0.99, 199)])
def test_few_residuals_bound_nothing(level, needed):
    assert conformal_interval(np.arange(needed - 1.0), level) is None
    found = conformal_interval(np.arange(float(needed)), level)
    assert (found.low, found.high) == (0, needed - 1)


@pytest.mark.parametrize("rows", [19, 50, 301])
@pytest.mark.parametrize("level", [0.5, 0.8, 0.9])
def test_new_labels_fall_within_as_often_as_promised(rows, level):
    """Over many draws of skewed errors: at least `level`, and hardly more."""
    random = np.random.default_rng(0)
    draws = [random.exponential(size=rows + 1) for _ in range(4000)]
    held = []
    for draw in draws:
        interval = conformal_interval(draw[:-1], level)
        held.append(interval.low <= draw[-1] <= interval.high)
    assert level - 0.025 < np.mean(held) < level + 2 / (rows + 1) + 0.025
