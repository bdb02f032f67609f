"""Rows that were answered become tables with the batch's columns."""

import pandas as pd
import pytest

from tenantry.parquet import from_parquet, to_parquet
from tenantry.predictions import Interval
from tenantry.serving.log_table import cut
from tenantry.specs.data import Column
from tests.unit.serving.logged import ALWAYS, WEEK, a_batch
from tests.unit.serving.served import (
    ROW,
    START,
    make_record,
)


def rows_of(batch, suppressed=b""):
    return [from_parquet(piece.content) for piece in cut(batch, {}, suppressed).pieces]


def test_no_client_fills_a_store_with_files():
    times = [(START + n * WEEK).isoformat() for n in range(100) for _ in range(1 + (n < 50))]
    found = cut(a_batch(make_record(log=ALWAYS), *(((at,), 0.5) for at in times)), {}, b"")
    assert [piece.rows for piece in found.pieces] == [2] * 50


@pytest.mark.parametrize(
    "at", [None, "", "9999-12-31T23:00:00Z", "0001-01-20", "2013-09-30", "2014-10-20"]
)
def test_rows_that_no_label_could_be_told_of_are_left_out(at):
    found = cut(a_batch(make_record(log=ALWAYS), ((at,), 0.5)), {}, b"")
    assert (found.pieces, found.rows, found.erased) == ((), 0, 0)


def test_columns_have_the_batchs_types_and_the_row_filters_values():
    columns = {
        "carrier": Column(type="category"),
        "number": Column(type="integer"),
        "night": Column(type="boolean"),
        "at": Column(type="time"),
    }
    record = make_record(
        log=ALWAYS, columns=columns, key=("carrier", "number", "night"), bound={"carrier": "UA"}
    )
    (found,) = rows_of(a_batch(record, ((None, "7", True, ROW["at"]), 0.75)))
    expected = pd.DataFrame(
        {
            "carrier": pd.Series(["UA"], dtype="str"),
            "number": [7.0],
            "night": [1.0],
            "event_time": pd.to_datetime([ROW["at"]]).as_unit("us"),
            "probability": [0.75],
            "decision": [True],
            "answered_at": pd.to_datetime([START]).as_unit("us"),
        }
    )
    pd.testing.assert_frame_equal(found, from_parquet(to_parquet(expected)))


def test_values_and_their_intervals_are_logged():
    interval = Interval(level=0.8, low=-2.0, high=3.0, rows=50)
    record = make_record(log=ALWAYS, task="regression", threshold=None, interval=interval)
    (found,) = rows_of(a_batch(record, ((ROW["at"],), 10.0)))
    assert found[["probability", "low", "high"]].iloc[0].tolist() == [10.0, 8.0, 13.0]
    assert not found["decision"].any()


def test_probabilities_of_classes_are_logged():
    record = make_record(log=ALWAYS, task="multiclass", classes=("a", "b"), threshold=0.6)
    (found,) = rows_of(a_batch(record, ((ROW["at"],), [0.2, 0.8]), ((ROW["at"],), [0.5, 0.5])))
    assert found["probability"].tolist() == [0.8, 0.5]
    assert found["decision"].isna().tolist() == [False, True]
    assert found["probabilities"].tolist() == [{"a": 0.2, "b": 0.8}, {"a": 0.5, "b": 0.5}]
