import numpy as np
import pytest

from tenantry.evaluations import with_predictions
from tenantry.monitoring.drift import learn_reference
from tenantry.monitoring.streams import FRESHNESS, QUALITY, ROWS, compare_windows, find_bars
from tests.unit.monitoring.watched import TRAINED, WINDOWS, make_rows, make_table

TABLE = make_table()
LEARNT = TABLE[TABLE["event_time"] < TRAINED]
COLUMNS = ("distance", "temp", "origin", "label")


def compare(rows, *, task="classification", learnt=LEARNT):
    reference = learn_reference(
        learnt,
        COLUMNS,
        until=TRAINED,
        length=WINDOWS[0].end - WINDOWS[0].start,
        task=task,
    )
    streams = compare_windows(reference, rows, np.zeros(len(rows), dtype=np.intp), 1, start=TRAINED)
    return dict(zip(streams.names, streams.effect[:, 0], strict=True))


def p_values(rows):
    length = WINDOWS[0].end - WINDOWS[0].start
    reference = learn_reference(LEARNT, COLUMNS, until=TRAINED, length=length)
    streams = compare_windows(reference, rows, np.zeros(len(rows), dtype=np.intp), 1, start=TRAINED)
    return dict(zip(streams.names, streams.p_value[:, 0].tolist(), strict=True))


def test_features_label_predictions_and_volume_are_watched():
    found = compare(make_rows(TABLE, WINDOWS[0]))
    assert list(found) == [*COLUMNS, "prediction", ROWS, FRESHNESS]
    assert max(found.values()) < 0.1


@pytest.mark.parametrize("task", ["regression", "multiclass"])
def test_predictions_of_every_task_are_watched(task):
    rows = make_rows(TABLE, WINDOWS[0])
    if task == "multiclass":
        rows = with_predictions(rows, "prediction", np.tile([0.8, 0.2], (len(rows), 1)))
    found = compare(rows, task=task)
    assert found["prediction"] < 0.05
    assert found["label"] < 0.05


def test_classes_have_no_order():
    codes = TABLE.assign(label=np.arange(len(TABLE)) % 3.0)
    rows = make_rows(codes, WINDOWS[0]).assign(label=lambda rows: (rows["label"] + 1) % 2)
    learnt = codes[codes["event_time"] < TRAINED]
    found = compare(rows, task="multiclass", learnt=learnt)
    assert found["label"] == pytest.approx(1 / 3, abs=0.01)


def test_rows_that_end_before_their_window_are_silence():
    rows = make_rows(TABLE, WINDOWS[0])
    assert compare(rows)[FRESHNESS] < 0.01
    assert compare(rows.iloc[: len(rows) // 4])[FRESHNESS] == pytest.approx(0.75, abs=0.01)
    assert compare(rows.iloc[:0])[FRESHNESS] == pytest.approx(1.0, abs=0.01)


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


@pytest.mark.parametrize(("days", "unusual"), [(1, False), (3, True), (7, True)])
@pytest.mark.parametrize("column", ["temp", "origin"])
def test_no_single_day_makes_a_feature_unusual(column, days, unusual):
    rows = make_rows(TABLE, WINDOWS[0])
    rows.loc[: 144 * days - 1, column] = "ZZZ" if column == "origin" else 1.0
    assert (p_values(rows)[column] < 1e-4) is unusual


def test_a_window_too_short_to_leave_a_day_out_is_judged_by_hours():
    rows = make_rows(TABLE, WINDOWS[0]).iloc[:144]
    broken = rows.assign(temp=np.where(rows.index < 6, 1e9, rows["temp"]))
    assert p_values(broken)["temp"] > 0.01
    assert p_values(rows.assign(temp=1e9))["temp"] < 1e-4
