import numpy as np
import pytest

from tenantry.metrics import measure
from tenantry.monitoring.expected import expect_quality

PREDICTED = np.array([0.0, 0.1, 0.4, 0.5, 0.9, 1.0])


def test_the_expected_log_loss_is_the_entropy():
    inner = PREDICTED[1:-1]
    entropy = -(inner * np.log(inner) + (1 - inner) * np.log(1 - inner)).sum() / len(PREDICTED)
    assert expect_quality("log_loss", PREDICTED) == pytest.approx(entropy, abs=1e-12)


@pytest.mark.parametrize("metric", ["log_loss", "brier"])
def test_true_probabilities_keep_what_they_promise(metric):
    rng = np.random.default_rng(1)
    predicted = rng.beta(1, 3, 200_000)
    label = (rng.random(200_000) < predicted).astype(float)
    expected = expect_quality(metric, predicted)
    assert expected == pytest.approx(measure(metric, label, predicted), abs=0.005)


@pytest.mark.parametrize(
    ("metric", "predicted"), [("rmse", PREDICTED), ("log_loss", PREDICTED[:0])]
)
def test_values_and_nothing_promise_nothing(metric, predicted):
    assert expect_quality(metric, predicted) is None


def test_of_several_classes_it_is_the_entropy_too():
    predicted = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    entropy = -(predicted[0] * np.log(predicted[0])).sum() / 2
    assert expect_quality("log_loss", predicted) == pytest.approx(entropy, abs=1e-12)
    two = np.stack([1 - PREDICTED, PREDICTED], axis=1)
    assert expect_quality("brier", two) == pytest.approx(2 * expect_quality("brier", PREDICTED))
