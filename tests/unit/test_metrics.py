import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from tenantry.figures import TITLES
from tenantry.metrics import measure, roc_auc, row_losses

RANDOM = np.random.default_rng(0)
LABEL = RANDOM.integers(0, 2, 200).astype(float)
PREDICTED = RANDOM.integers(1, 20, 200) / 20

THEIRS = {
    "log_loss": sklearn_metrics.log_loss,
    "brier": sklearn_metrics.brier_score_loss,
    "mae": sklearn_metrics.mean_absolute_error,
    "rmse": sklearn_metrics.root_mean_squared_error,
}


@pytest.mark.parametrize("metric", TITLES)
def test_metrics_are_those_of_scikit_learn(metric):
    assert measure(metric, LABEL, PREDICTED) == pytest.approx(THEIRS[metric](LABEL, PREDICTED))


def test_a_sure_and_wrong_probability_has_a_finite_loss():
    losses = row_losses("log_loss", np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    assert losses == pytest.approx([34.54, 34.54], abs=0.01)


def test_roc_auc_counts_ties_half():
    theirs = sklearn_metrics.roc_auc_score(LABEL, PREDICTED)
    assert roc_auc(LABEL, PREDICTED) == pytest.approx(theirs)
    assert roc_auc(np.ones(3), np.arange(3.0)) is None
