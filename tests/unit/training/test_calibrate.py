"""Calibration is a line in log-odds that never turns scores over."""

import numpy as np
import pytest

from tenantry.metrics import measure
from tenantry.models.fitted import from_link, to_link
from tenantry.training.calibrate import calibrated, fit_line
from tenantry.training.lessons import Lessons
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table


def sample(rows=4000, seed=0):
    random = np.random.default_rng(seed)
    truth = random.normal(-1, 1, rows)
    label = (random.random(rows) < from_link(truth, "classification")).astype("float64")
    return truth, label


def test_a_line_undoes_overconfidence():
    truth, label = sample()
    confident = from_link(2 * truth + 1, "classification")
    slope, intercept = fit_line(confident, label)
    assert slope == pytest.approx(0.5, abs=0.06)
    assert intercept == pytest.approx(-0.5, abs=0.1)
    mended = from_link(intercept + slope * to_link(confident), "classification")
    assert measure("log_loss", label, mended) < measure("log_loss", label, confident)


@pytest.mark.parametrize("case", ["few rows", "one class", "falling", "flat"])
def test_where_a_line_would_do_harm_there_is_none(case):
    truth, label = sample(100 if case == "few rows" else 1000)
    predicted = from_link(-truth if case == "falling" else truth, "classification")
    if case == "one class":
        label = np.zeros(1000)
    if case == "flat":
        predicted = np.full(1000, 0.2)
    assert fit_line(predicted, label) is None


def test_calibrating_a_model_moves_its_scores_along_the_line():
    lessons = Lessons(make_table(), make_spec(), None)
    model = lessons.fit("logistic", AS_OF)
    plain = model.score(lessons.table, lessons.spec)
    twice = calibrated(calibrated(model, (0.5, 0.1)), (2.0, -0.3))
    np.testing.assert_allclose(
        twice.score(lessons.table, lessons.spec), 2 * (0.5 * plain + 0.1) - 0.3
    )
    assert calibrated(model, None) is model
