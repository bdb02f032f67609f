import numpy as np
import pytest

from tenantry.bootstrap import Gain, compare, compare_in_part, standard_error

DAYS = np.repeat(np.arange(28), 20)


def simulate(seed: int, *, days: np.ndarray = DAYS, edge: float = 0.0) -> Gain:
    """Two models, each knowing one of two causes; `edge` makes the challenger's cause stronger."""
    random = np.random.default_rng(seed)
    mine, theirs = random.normal(size=(2, len(days)))
    shared = random.normal(size=days.max() + 1)[days]
    chance = 1 / (1 + np.exp(1 - (1 + edge) * mine - theirs - shared / 2))
    label = (random.random(len(days)) < chance).astype(float)
    return compare(
        label,
        1 / (1 + np.exp(1 - (1 + edge) * mine)),
        1 / (1 + np.exp(1 - theirs)),
        day=days,
        metric="log_loss",
        confidence=0.95,
        resamples=500,
        seed=7,
    )


def test_equal_arguments_give_equal_intervals():
    assert simulate(3) == simulate(3)


def test_a_model_against_itself_gains_exactly_nothing():
    label, predicted = (np.arange(40) % 2).astype(float), np.linspace(0.1, 0.9, 40)
    for metric in ("log_loss", "brier", "mae", "rmse"):
        gain = compare(
            label,
            predicted,
            predicted,
            day=np.arange(40) // 4,
            metric=metric,
            confidence=0.95,
            resamples=100,
            seed=7,
        )
        assert (gain.gain, gain.low, gain.high, gain.rows, gain.days) == (0, 0, 0, 40, 10)


@pytest.mark.parametrize(("days", "rows_a_day"), [(7, 15), (28, 5)])
def test_intervals_cover_an_equal_pair_as_often_as_they_say(days, rows_a_day):
    blocks = np.repeat(np.arange(days), rows_a_day)
    gains = [simulate(seed, days=blocks) for seed in range(200)]
    covered = np.mean([gain.low <= 0 <= gain.high for gain in gains])
    assert 0.9 <= covered <= 0.99


def test_a_stronger_model_clears_zero():
    gains = [simulate(seed, edge=1.0) for seed in range(20)]
    assert all(gain.low > 0 for gain in gains)


def test_fewer_days_give_a_wider_interval():
    few, many = (
        np.mean([gain.high - gain.low for gain in map(widths, range(20))])
        for widths in (
            lambda seed: simulate(seed, days=np.arange(140) % 7),
            lambda seed: simulate(seed, days=np.arange(140) % 28),
        )
    )
    assert few > many


def test_one_day_says_nothing_of_the_spread():
    with pytest.raises(ValueError, match="at least 2 of them; there are 1"):
        simulate(0, days=np.zeros(30, dtype=np.int64))


def test_standard_errors_count_days_not_rows():
    random = np.random.default_rng(0)
    days = np.repeat(np.arange(40), 50)
    shared = np.repeat(random.normal(size=40), 50)
    own = random.normal(size=2000)
    assert standard_error(shared, days) == pytest.approx(1 / np.sqrt(40), rel=0.3)
    assert standard_error(own, days) == pytest.approx(1 / np.sqrt(2000), rel=0.3)
    assert standard_error(own, np.zeros(2000, dtype=np.int64)) == np.inf


@pytest.mark.parametrize("metric", ["log_loss", "rmse"])
def test_the_formula_and_the_bootstrap_agree_on_whole_rows(metric):
    random = np.random.default_rng(5)
    label = (random.random(560) < 0.3).astype(float)
    models = [np.clip(0.3 + random.normal(0, sd, 560), 0.05, 0.95) for sd in (0.1, 0.2)]
    paired = {"day": np.repeat(np.arange(28), 20), "metric": metric, "confidence": 0.95}
    drawn = compare(label, *models, **paired, resamples=4000, seed=7)
    exact = compare_in_part(label, *models, **paired)
    assert (exact.challenger, exact.rival) == pytest.approx((drawn.challenger, drawn.rival))
    width = drawn.high - drawn.low
    assert exact.high - exact.low == pytest.approx(width, rel=0.1)
    assert exact.low == pytest.approx(drawn.low, abs=0.1 * width)


def test_two_perfect_models_are_equal():
    label = np.arange(40.0)
    days = np.repeat(np.arange(10), 4)
    gain = compare_in_part(label, label, label, day=days, metric="rmse", confidence=0.95)
    assert (gain.gain, gain.low, gain.high) == (0, 0, 0)
