import pytest

from tenantry.report.charts import SIDE, Scale, place_intervals


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([0.0, 0.43], ["0%", "20%", "40%", "60%"]),
        ([0.12, 0.19], ["12%", "14%", "16%", "18%", "20%"]),
        ([0.0, 1.0], ["0%", "25%", "50%", "75%", "100%"]),
        ([0.3], ["30%", "40%"]),
    ],
)
def test_axes_have_round_ends_and_hold_all_values(values, ticks):
    scale = Scale.of(values)
    assert all(0 <= scale.x(value) <= SIDE for value in values)
    found = scale.ticks(is_share=True)
    assert [tick.text for tick in found] == ticks
    assert (found[0].at, found[-1].at) == (0, SIDE)


def test_an_axis_of_minutes_is_marked_in_minutes():
    ticks = Scale.of([-12.0, 78.0]).ticks(is_share=False)
    assert [tick.text for tick in ticks] == ["-25", "0", "25", "50", "75", "100"]


def test_y_grows_upwards():
    scale = Scale(0.0, 1.0, 0.25)
    assert (scale.x(0.25), scale.y(0.25)) == (75, 225)


def test_intervals_share_one_scale_that_holds_zero():
    first, second = place_intervals([(0.01, 0.02, 0.03), (-0.01, 0.0, 0.02)])
    assert first.zero == second.zero == second.gain
    assert second.low < second.zero < first.low < first.gain < first.high
    assert second.low > 0
    assert first.high < 100


def test_no_gain_at_all_still_has_a_place():
    (only,) = place_intervals([(0.0, 0.0, 0.0)])
    assert only.low == only.high == only.zero == 50
