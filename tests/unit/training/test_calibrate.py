"""Calibration is a line in log-odds that never turns scores over."""

import numpy as np
import pytest

from tenantry.metrics import measure
from tenantry.models.link import from_link, to_link
from tenantry.training.calibrate import calibrated, fit_line, is_of_help
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


def helps(truth, label, *, days=28, **changes):
    day = np.arange(len(label)) * days // len(label)
    predicted = from_link(truth, "classification")
    return is_of_help(predicted, label, day, **({"metric": "log_loss", "margin": 2.0} | changes))


def test_calibration_helps_where_probabilities_are_off_and_only_there():
    truth, label = sample()
    assert helps(2.5 * truth + 1, label)
    assert not helps(truth, label)
    assert not helps(2.5 * truth + 1, label, margin=50.0)


@pytest.mark.parametrize("rows", [300, 399])
def test_too_few_rows_in_a_half_show_no_help(rows):
    truth, label = sample(rows)
    assert not helps(3 * truth + 2, label)


def test_a_line_that_held_in_one_half_only_is_no_help():
    truth, label = sample()
    late = np.arange(len(truth)) >= len(truth) // 2
    assert not helps(np.where(late, truth + 1, truth - 1), label)


def test_calibrating_well_founded_probabilities_seldom_seems_to_help():
    found = [helps(*sample(800, seed)) for seed in range(100)]
    assert sum(found) <= 5
