import numpy as np
import pytest

from tenantry.monitoring.bets import gather, no_evidence, weigh
from tenantry.monitoring.decay import Spread, doubt_promise, measure_losses

RNG = np.random.default_rng(3)
LOSS = RNG.exponential(0.4, 700)
WEEK = np.datetime64("2013-10-01") + (np.arange(700) * 14).astype("timedelta64[m]")
ONE = np.zeros(700, dtype=np.intp)


def measure(loss=LOSS, when=WEEK):
    return measure_losses(loss, when, np.zeros(len(loss), dtype=np.intp), 1)


def make_weeks(weeks, *, mean=0.45, day=0.1, rows=60, rng=RNG):
    """Make losses of weeks whose days differ; return loss, time and window."""
    days = weeks * 7
    level = np.repeat(rng.normal(mean, day, days), rows)
    loss = level + rng.exponential(0.3, len(level)) - 0.3
    when = np.datetime64("2013-10-01") + np.repeat(np.arange(days), rows).astype("timedelta64[D]")
    return loss, when, np.repeat(np.arange(weeks), 7 * rows)


def doubt(weeks, bearable=0.45, **options):
    loss, when, window = make_weeks(weeks, **options)
    return doubt_promise(measure_losses(loss, when, window, weeks), bearable, Spread())[0]


def test_the_mean_is_that_of_the_rows():
    losses = measure()
    low, high = losses.bound(0.99)
    assert losses.mean[0] == pytest.approx(LOSS.mean())
    assert low[0] < losses.mean[0] < high[0]


@pytest.mark.parametrize(
    ("rows", "blocks"),
    [(700, 7), (400, 4 * 24 - 2), (1, 1), (0, 0)],
    ids=["days", "four days are too few blocks: hours", "one row", "none"],
)
def test_blocks_are_days_or_hours(rows, blocks):
    losses = measure(LOSS[:rows], WEEK[:rows])
    assert losses.blocks[0] == blocks
    assert np.isnan(losses.error[0]) == (blocks < 2)


def test_rows_of_one_day_are_not_independent():
    """The same days, each row ten times: the error stays as large, as it should."""
    often = measure(np.repeat(LOSS, 10), np.repeat(WEEK, 10))
    assert often.error[0] == pytest.approx(measure().error[0])


def test_windows_are_measured_as_if_alone():
    loss, when, window = make_weeks(3)
    together = measure_losses(loss, when, window, 4)
    for week in range(3):
        alone = measure(loss[window == week], when[window == week])
        assert together.mean[week] == pytest.approx(alone.mean[0])
        assert together.error[week] == pytest.approx(alone.error[0])
    assert np.isnan(together.mean[3])


def test_the_interval_covers_what_it_promises():
    """Of 400 weeks with days that differ, about 95 % of the intervals hold the truth."""
    losses = measure_losses(*make_weeks(400, rng=np.random.default_rng(0)), 400)
    low, high = losses.bound(0.95)
    assert 0.92 <= ((low <= 0.45) & (high >= 0.45)).mean() <= 0.99


def test_a_model_as_good_as_is_bearable_is_rarely_doubted():
    p_values = np.concatenate([doubt(10) for _ in range(150)])
    assert (p_values < 0.05).mean() < 0.06
    assert (p_values < 0.001).mean() < 0.004


def test_a_year_of_looks_at_a_sound_model_rarely_finds_evidence():
    rng = np.random.default_rng(7)
    p_values = np.stack([doubt(52, rows=20, rng=rng) for _ in range(150)], axis=1)
    won, highest = no_evidence(150), np.zeros(150)
    for now in p_values:
        won = gather(won, now, windows_a_year=52, bar=np.full(150, np.inf))
        highest = np.maximum(highest, weigh(won))
    assert (highest >= 20).mean() <= 0.05


def test_spread_known_from_earlier_windows_helps():
    loss, when, window = make_weeks(6, mean=0.8)
    losses = measure_losses(loss, when, window, 6)
    p_values, path = doubt_promise(losses, 0.45, Spread())
    assert p_values[5] < 1e-4
    assert [one.degrees for one in path] == [6, 12, 18, 24, 30, 36]
    again, _ = doubt_promise(
        measure_losses(loss[window == 5], when[window == 5], window[window == 0], 1), 0.45, path[4]
    )
    assert again[0] == pytest.approx(p_values[5])


def test_without_a_promise_or_blocks_nothing_is_doubted():
    assert np.isnan(doubt_promise(measure(), float("nan"), Spread())[0]).all()
    p_value, path = doubt_promise(measure(LOSS[:1], WEEK[:1]), 0.1, Spread(1.0, 6))
    assert np.isnan(p_value).all()
    assert path == [Spread(1.0, 6)]
