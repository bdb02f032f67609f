import numpy as np
import pytest

from tenantry.monitoring.past import MIN_WINDOWS, find_p_values, learn_past

RNG = np.random.default_rng(8)
WEEKS = 26


def draw(windows, rows, shares):
    """Draw windows of about so many rows; `shares` may differ by window."""
    sizes = RNG.poisson(rows, windows)
    shares = np.broadcast_to(shares, (windows, np.shape(shares)[-1]))
    return np.array([RNG.multinomial(n, p) for n, p in zip(sizes, shares, strict=True)], float)


def p_values(make, tries=150):
    """Return p-values of windows like those of the past, each past used for eight of them."""
    found = [find_p_values(learn_past(make(WEEKS)), make(8)) for _ in range(tries)]
    return np.concatenate(found)


@pytest.mark.parametrize("rows", [5, 50, 700])
@pytest.mark.parametrize(
    "shares",
    [[0.75, 0.25], [0.9, 0.0999, 0.0001], [0.1] * 10, [0.5] + [0.025] * 20],
    ids=["label", "rare", "tenths", "categories"],
)
def test_windows_that_differ_by_chance_are_rarely_unusual(rows, shares):
    found = p_values(lambda windows: draw(windows, rows, shares))
    assert (found < 0.05).mean() < 0.07
    assert (found < 0.001).mean() < 0.005


def test_windows_that_share_weather_are_rarely_unusual():
    """The label's share differs from week to week far more than chance has it."""

    def make(windows):
        late = np.clip(RNG.normal(0.25, 0.06, windows), 0.05, 0.6)
        return draw(windows, 400, np.stack([1 - late, late], axis=1))

    found = p_values(make)
    assert (found < 0.05).mean() < 0.1
    assert (found < 0.001).mean() < 0.01


@pytest.mark.parametrize(("rows", "shift"), [(500, 0.15), (2000, 0.08)])
def test_a_shift_of_the_label_is_unusual(rows, shift):
    past = learn_past(draw(WEEKS, rows, [0.75, 0.25]))
    now = draw(40, rows, [0.75 - shift, 0.25 + shift])
    assert np.median(find_p_values(past, now)) < 1e-5


def test_the_same_shift_is_not_unusual_where_weeks_differ_as_much():
    late = np.tile([0.15, 0.35], WEEKS // 2)
    past = learn_past(draw(WEEKS, 500, np.stack([1 - late, late], axis=1)))
    assert find_p_values(past, np.array([[300.0, 200.0]]))[0] > 0.05


def test_new_values_are_unusual_and_one_of_them_is_not():
    past = learn_past(draw(WEEKS, 100, [0.5, 0.5, 0.0, 0.0]))
    now = np.array([[49.0, 50.0, 1.0, 0.0], [0.0, 0.0, 100.0, 0.0], [0.0, 0.0, 0.0, 100.0]])
    one, all_new, all_missing = find_p_values(past, now)
    assert one > 0.01
    assert max(all_new, all_missing) < 1e-15


def test_what_is_shared_grows_with_a_window_and_chance_does_not():
    """A small window after large ones is judged by chance, not by what large ones share."""
    late = np.tile([0.1, 0.4], WEEKS // 2)
    past = learn_past(draw(WEEKS, 2000, np.stack([1 - late, late], axis=1)))
    assert past.spread > 50
    assert 1 + past.shared * 20 < past.spread / 50


@pytest.mark.parametrize("windows", [0, 1, MIN_WINDOWS - 1])
def test_too_short_a_past_knows_nothing(windows):
    past = learn_past(draw(windows, 100, [0.5, 0.5]).reshape(windows, 2))
    assert np.isnan(find_p_values(past, np.array([[0.0, 100.0]]))).all()


def test_a_window_without_rows_tells_nothing():
    past = learn_past(draw(WEEKS, 100, [0.5, 0.5]))
    assert np.isnan(find_p_values(past, np.zeros((1, 2)))).all()
