"""What is known only later is left out, and outcomes are hidden until then."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from tenantry.known import known_rows
from tenantry.specs.data import Times

AS_OF = datetime(2024, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize("start", [0, 7])
def test_rows_known_later_are_left_out_and_outcomes_of_others_hidden(start):
    index = range(start, start + 4)
    days = pd.Series(["2024-01-01", "2024-01-04", "2024-01-06", "never"], index=index)
    given = {
        "at": days,
        "amount": pd.Series([1.0, 2.0, 3.0, 4.0], index=index),
        "word": pd.Series(["a", "b", "c", "d"], index=index, dtype="str"),
    }
    times = Times.model_validate({"event_time": "at", "label_known_at": {"delay": "2d"}})
    known, moments, later = known_rows(given, ("amount", "word"), times, AS_OF)
    assert later == 1
    assert known["at"].tolist() == ["2024-01-01", "2024-01-04", "never"]
    assert known["amount"].fillna(-1).tolist() == [1.0, -1, -1]
    assert known["word"].fillna("").tolist() == ["a", "", ""]
    assert moments["label_known_at"].dt.day.fillna(0).tolist() == [3, 6, 0]
    assert all(list(column.index) == [0, 1, 2] for column in (*known.values(), *moments.values()))
    assert given["amount"].tolist() == [1.0, 2.0, 3.0, 4.0], "what was given stays"
