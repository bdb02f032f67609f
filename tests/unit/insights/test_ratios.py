import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from tenantry.insights.ratios import adjust, compare_means, measure_ratios, subtract, sum_by_day


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
        sums = sum_by_day(label, day, part)
        p_values.append(compare_means(sums, counts, float(label.var())).p_values())
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


def test_a_part_where_nothing_rare_happened_is_no_evidence_in_itself():
    rows = np.column_stack([np.ones(35), np.full(35, 100.0)])
    late = np.column_stack([np.zeros(35), np.tile([4.0, 5.0, 6.0, 5.0, 5.0], 7)])
    share = late.sum() / rows.sum()
    found = compare_means(late, rows, share * (1 - share))
    assert found.p_values()[0] > 0.1


def test_where_all_rows_are_alike_the_whole_differs_from_nothing():
    rows = np.column_stack([np.full(35, 3.0), np.zeros(35)])
    found = compare_means(np.zeros((35, 2)), rows, 0.0)
    assert np.isnan(found.p_values()).all()


@pytest.mark.parametrize("share", [0.02, 0.3, 0.97])
def test_intervals_of_shares_hold_where_all_rows_may_be_alike(share):
    rng = np.random.default_rng(5)
    late, rows = rng.binomial(3, share, (20, 2000)) * 1.0, np.full((20, 2000), 3.0)
    low, high = measure_ratios(late, rows).bound_shares(rows.sum(axis=0))
    assert ((low <= share) & (high >= share)).mean() > 0.93
    assert ((low >= 0) & (high <= 1) & (low < high)).all()


def test_what_is_no_share_has_an_interval_within_0_and_1_too():
    strange = np.column_stack([np.tile([-1e138, 1.0], 10), np.tile([1e150, 0.0], 10)])
    low, high = measure_ratios(strange, np.ones((20, 2))).bound_shares(np.full(2, 20.0))
    assert ((low >= 0) & (low < high) & (high <= 1)).all()


def test_a_share_of_many_rows_has_the_interval_of_its_error():
    rng = np.random.default_rng(6)
    late = rng.binomial(400, np.clip(rng.normal(0.3, 0.1, (90, 1)), 0, 1)) * 1.0
    found = measure_ratios(late, np.full((90, 1), 400.0))
    shares = np.concatenate(found.bound_shares(np.array([36_000.0])))
    assert shares == pytest.approx(np.concatenate(found.bound()), abs=0.002)
