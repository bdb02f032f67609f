import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from tenantry.insights.ratios import adjust, compare_ratios, measure_ratios, subtract, sum_by_day


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_p_values_are_adjusted_as_benjamini_and_hochberg_do(p_values):
    found = adjust(np.array(p_values))
    assert found == pytest.approx(false_discovery_control(p_values))


def test_what_has_no_p_value_is_left_out():
    found = adjust(np.array([0.01, np.nan, 0.04]))
    assert found[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(found[1])
    assert len(adjust(np.array([]))) == 0


def test_a_share_has_the_error_of_a_mean_of_equal_days():
    rng = np.random.default_rng(1)
    hits = rng.binomial(50, 0.3, (40, 1)).astype(float)
    found = measure_ratios(hits, np.full((40, 1), 50.0))
    assert found.value[0] == pytest.approx(hits.sum() / 2000)
    expected = (hits / 50).std(ddof=1) / np.sqrt(40)
    assert found.error[0] == pytest.approx(expected)


def test_intervals_hold_as_often_as_they_say():
    rng = np.random.default_rng(2)
    rows = rng.integers(5, 40, (30, 2000)).astype(float)
    chance = np.clip(rng.normal(0.3, 0.1, (30, 2000)), 0, 1)
    low, high = measure_ratios(rng.binomial(rows.astype(int), chance) * 1.0, rows).bound()
    held = ((low <= 0.3) & (high >= 0.3)).mean()
    assert 0.92 < held < 0.97


def test_differences_that_are_chance_have_even_p_values():
    rng = np.random.default_rng(3)
    day = np.repeat(np.arange(30), 40)
    p_values = []
    for _ in range(300):
        part = rng.integers(0, 4, len(day))
        label = (rng.random(len(day)) < np.repeat(rng.uniform(0.1, 0.5, 30), 40)).astype(float)
        counts = sum_by_day(np.ones(len(day)), day, part)
        p_values.append(compare_ratios(sum_by_day(label, day, part), counts).p_values())
    found = np.concatenate(p_values)
    assert 0.03 < (found < 0.05).mean() < 0.07
    assert 0.45 < (found < 0.5).mean() < 0.55


def test_too_few_days_have_no_error():
    few = measure_ratios(np.ones((9, 1)), np.ones((9, 1)) * 2)
    assert few.value[0] == 0.5
    assert np.isnan(few.error[0])
    assert np.isnan(few.p_values()[0])
    nothing = measure_ratios(np.zeros((12, 1)), np.zeros((12, 1)))
    assert np.isnan(nothing.value[0])


def test_spans_are_compared_by_both_errors():
    one = measure_ratios(np.tile([[1.0], [2.0]], (10, 1)), np.full((20, 1), 4.0))
    two = subtract(one, one)
    assert two.value[0] == 0
    assert two.error[0] == pytest.approx(np.sqrt(2) * one.error[0])
