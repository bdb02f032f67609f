from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from tenantry.monitoring.drift import learn_reference
from tenantry.monitoring.outlook import compare_outlook

RNG = np.random.default_rng(5)
WEEK = timedelta(days=7)
START = datetime(2013, 1, 1, tzinfo=UTC)
ROWS, WEEKS = 200, 30
CLASSES = np.array([0.6, 0.3, 0.1])


def learn(label, task, weeks=WEEKS):
    """Learn from labels of so many weeks, 200 a week."""
    when = pd.Timestamp(START) + pd.to_timedelta(np.arange(len(label)) * 7 * 24 / ROWS, unit="h")
    frame = pd.DataFrame({"event_time": when, "label": label})
    return learn_reference(frame, ("label",), until=START + weeks * WEEK, length=WEEK, task=task)


BINARY = learn((RNG.random(ROWS * WEEKS) < 0.2).astype(float), "classification")
MINUTES = learn(RNG.gamma(2, 10, ROWS * WEEKS) - 10, "regression")
THREE = learn(RNG.choice(3, ROWS * WEEKS, p=CLASSES).astype(float), "multiclass")


def compare(reference, predicted):
    found = compare_outlook(reference, predicted, np.zeros(len(predicted), dtype=np.intp), 1)
    return float(found.effect[0]), float(found.p_value[0])


@pytest.mark.parametrize(
    ("predicted", "effect", "unusual"),
    [
        (np.full(200, 0.2), 0.0, False),
        (RNG.beta(1, 4, 200), 0.0, False),
        (np.full(200, 0.5), 0.3, True),
        (np.full(200, np.nan), 1.0, True),
        (np.zeros(0), np.nan, False),
    ],
    ids=["certain of the mean", "spread around it", "too high", "missing", "no rows"],
)
def test_probabilities_are_compared_with_the_labels_of_the_past(predicted, effect, unusual):
    found, p_value = compare(BINARY, predicted)
    assert found == pytest.approx(effect, abs=0.03, nan_ok=True)
    assert (p_value < 1e-6) is unusual


@pytest.mark.parametrize(
    ("predicted", "effect", "unusual"),
    [
        (np.full(200, 10.0), 0.0, False),
        (RNG.normal(10, 8, 200).clip(0, 20), 0.0, False),
        (np.full(200, 20.0), 0.21, True),
        (np.full(200, -100.0), 0.59, True),
        (np.full(200, np.nan), 1.0, True),
        (np.zeros(0), np.nan, False),
    ],
    ids=["the mean", "spread around it", "ten more", "below all", "missing", "no rows"],
)
def test_values_are_compared_with_the_mean_label(predicted, effect, unusual):
    found, p_value = compare(MINUTES, predicted)
    assert found == pytest.approx(effect, abs=0.03, nan_ok=True)
    assert (p_value < 1e-6) is unusual


def test_the_effect_on_values_does_not_depend_on_their_unit():
    seconds = learn(MINUTES.outcomes.numbers * 60, "regression")
    assert compare(seconds, np.full(200, 1200.0))[0] == compare(MINUTES, np.full(200, 20.0))[0]


@pytest.mark.parametrize(
    ("shares", "effect", "unusual"),
    [(CLASSES, 0.0, False), ([0.3, 0.6, 0.1], 0.3, True), ([0.6, 0.2, 0.2], 0.1, True)],
    ids=["as often", "the first two changed places", "the rare one twice as often"],
)
def test_classes_are_compared_one_by_one(shares, effect, unusual):
    found, p_value = compare(THREE, np.tile(shares, (200, 1)))
    assert found == pytest.approx(effect, abs=0.03)
    assert (p_value < 0.01) is unusual


@pytest.mark.parametrize("task", ["classification", "regression", "multiclass"])
def test_too_short_a_past_gives_no_p_value(task):
    reference = learn(np.zeros(ROWS * 7), task, weeks=7)
    predicted = np.tile([1.0, 0.0], (9, 1)) if task == "multiclass" else np.zeros(9)
    assert compare(reference, predicted) == (0.0, pytest.approx(np.nan, nan_ok=True))
