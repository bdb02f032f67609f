import numpy as np
import pytest

from tenantry.monitoring.volume import compare_volume

RNG = np.random.default_rng(9)
PAST = RNG.poisson(400, 26).astype(float)


@pytest.mark.parametrize(
    ("rows", "effect", "unusual"),
    [(400, 0.0, False), (430, 0.07, False), (100, 0.75, True), (0, 1.0, True), (1600, 0.75, True)],
)
def test_too_few_and_too_many_rows_are_unusual(rows, effect, unusual):
    found = compare_volume(PAST, np.array([float(rows)]))
    assert found.effect[0] == pytest.approx(effect, abs=0.02)
    assert (found.p_value[0] < 1e-8) == unusual


def test_seasonal_volumes_are_usual():
    past = np.tile([100.0, 700.0], 13)
    assert compare_volume(past, np.array([50.0])).p_value[0] > 0.05


def test_windows_of_chance_are_rarely_unusual():
    found = [
        compare_volume(RNG.poisson(6, 26).astype(float), RNG.poisson(6, 20).astype(float)).p_value
        for _ in range(200)
    ]
    assert (np.concatenate(found) < 0.001).mean() < 0.003


def test_too_short_a_past_knows_nothing():
    assert np.isnan(compare_volume(PAST[:7], np.array([0.0])).p_value).all()
