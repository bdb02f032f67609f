import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from tenantry.monitoring.decay import is_decayed, measure_quality

RNG = np.random.default_rng(3)
PREDICTED = RNG.uniform(0.05, 0.6, 700)
LABEL = (RNG.random(700) < PREDICTED).astype(float)
WEEK = np.datetime64("2013-10-01") + (np.arange(700) * 14).astype("timedelta64[m]")


def measure(predicted=PREDICTED, label=LABEL, when=WEEK, **options):
    settings = {"metric": "log_loss", "confidence": 0.99, "promised": 0.5}
    return measure_quality(predicted, label, when, **(settings | options))


def test_log_loss_and_auc_are_those_of_scikit_learn():
    quality = measure()
    assert quality.realised == pytest.approx(log_loss(LABEL, PREDICTED), abs=1e-12)
    assert quality.auc == pytest.approx(roc_auc_score(LABEL, PREDICTED), abs=1e-12)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("brier", np.mean((PREDICTED - LABEL) ** 2)),
        ("mae", np.mean(np.abs(PREDICTED - LABEL))),
        ("rmse", np.sqrt(np.mean((PREDICTED - LABEL) ** 2))),
    ],
)
def test_other_metrics(metric, expected):
    quality = measure(metric=metric)
    assert quality.realised == pytest.approx(expected)
    assert quality.low < quality.realised < quality.high


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_has_a_loss_but_no_auc(label):
    quality = measure(label=np.full(700, label))
    assert quality.auc is None
    assert quality.realised > 0


def test_certainty_that_is_wrong_costs_much_but_not_infinity():
    quality = measure(predicted=np.ones(700), label=np.zeros(700))
    assert 30 < quality.realised < 40


@pytest.mark.parametrize(
    ("when", "blocks"),
    [
        (WEEK, 7),
        (WEEK[:400], 4 * 24 - 2),  # four days are too few blocks: hours
        (np.repeat(WEEK[:1], 700), None),
        (WEEK[:0], None),
    ],
)
def test_blocks_are_days_or_hours(when, blocks):
    size = len(when)
    quality = measure(PREDICTED[:size], LABEL[:size], when)
    assert (quality and quality.blocks) == blocks


def test_rows_of_one_day_are_not_independent():
    """The same days, each row ten times: the interval stays as wide, as it should."""
    once = measure()
    often = measure(np.repeat(PREDICTED, 10), np.repeat(LABEL, 10), np.repeat(WEEK, 10))
    assert often.high - often.low == pytest.approx(once.high - once.low)


def test_the_interval_covers_what_it_promises():
    """Of 400 weeks with days that differ, about 95 % of the intervals hold the truth."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        rate = np.repeat(np.clip(rng.normal(0.3, 0.05, 7), 0.01, 0.9), 100)
        label = (rng.random(700) < rate).astype(float)
        quality = measure(np.full(700, 0.3), label, confidence=0.95)
        hits += quality.low <= -np.log(0.7) + 0.3 * np.log(0.7 / 0.3) <= quality.high
    assert 0.92 <= hits / 400 <= 0.99


@pytest.mark.parametrize(
    ("promised", "tolerance", "decayed"),
    [(0.9, 0.0, False), (0.3, 0.0, True), (0.3, 0.3, False), (None, 0.0, False)],
)
def test_decay_is_worse_than_promised_beyond_doubt(promised, tolerance, decayed):
    assert is_decayed(measure(promised=promised), tolerance) is decayed
