import numpy as np
import pytest

from tenantry.monitoring.drift import learn_reference
from tenantry.monitoring.streams import QUALITY, ROWS, compare_windows, find_bars
from tests.unit.monitoring.watched import TRAINED, WINDOWS, make_rows, make_table

TABLE = make_table()
LEARNT = TABLE[TABLE["event_time"] < TRAINED]
COLUMNS = ("distance", "temp", "origin", "label")


def compare(rows, *, has_classes=True):
    reference = learn_reference(
        LEARNT,
        COLUMNS,
        until=TRAINED,
        length=WINDOWS[0].end - WINDOWS[0].start,
        has_classes=has_classes,
    )
    streams = compare_windows(reference, rows, np.zeros(len(rows), dtype=np.intp), 1)
    return dict(zip(streams.names, streams.effect[:, 0], strict=True))


def test_features_label_predictions_and_volume_are_watched():
    found = compare(make_rows(TABLE, WINDOWS[0]))
    assert list(found) == [*COLUMNS, "prediction", ROWS]
    assert max(found.values()) < 0.1


def test_predicted_values_are_no_stream():
    assert "prediction" not in compare(make_rows(TABLE, WINDOWS[0]), has_classes=False)


def test_a_column_that_is_gone_is_missing_throughout():
    assert compare(make_rows(TABLE, WINDOWS[0]).drop(columns="temp"))["temp"] == 1.0


def test_half_of_the_rows_are_too_few():
    assert compare(make_rows(TABLE, WINDOWS[0]).iloc[::2])[ROWS] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("features", [0, 1, 20])
def test_all_streams_together_keep_to_the_false_alarms(features):
    names = [QUALITY, "label", *(f"f{n}" for n in range(features))]
    bars = find_bars(names, 0.05)
    assert (1 / bars).sum() <= 0.05 + 1e-12
    assert bars[:2].tolist() == [40.0, 80.0]
