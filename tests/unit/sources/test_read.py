"""A tenant's rows come from all its sources, with other tables joined, each column as its type."""

from datetime import timedelta

import pandas as pd
import pytest

from tenantry.errors import SourceError, SourceUnavailableError
from tenantry.sources.read import read_rows
from tenantry.times import Window
from tests.unit.sources.lake import (
    AS_OF,
    ROWS,
    SHOPS,
    SPAN,
    WEATHER,
    make_rows,
    make_spec,
    write_csv,
    write_parquet,
    write_sqlite,
)

JOINED = {"temp": {"type": "number"}, "size": {"type": "number"}}


def write_joined(lake):
    hours = pd.date_range("2024-01-01", "2024-03-01", freq="h", tz="UTC", unit="us")
    weather = pd.DataFrame({"seen_at": hours, "temp": range(len(hours))}).assign(extra=1)
    places = [weather.assign(place=place) for place in ("a", "b")]
    write_parquet(lake.folder / "weather.parquet", pd.concat(places))
    write_csv(lake.folder / "shops.csv", pd.DataFrame({"shop": ["a", "b"], "size": [10, 20]}))


def test_rows_of_all_sources_come_with_one_type_a_column(lake):
    found = read_rows(make_spec(), lake.fill().connections, SPAN)
    assert list(found.columns) == ["brand", "number", "amount", "at", "shop", "spent"]
    assert sorted(found["number"]) == [*range(100, 110), *range(200, 210), *range(300, 310)]
    assert set(found["brand"]) == {"ACME"}
    assert found.dtypes.astype("str").to_dict() == {
        "brand": "str",
        "number": "float64",
        "amount": "float64",
        "at": "datetime64[us, UTC]",
        "shop": "str",
        "spent": "float64",
    }
    by_number = found.set_index("number")
    for first in (100, 200, 300):
        expected = make_rows(10, first=first).set_index("number")
        part = by_number.loc[first : first + 9]
        for column in ("at", "shop", "amount", "spent"):
            assert part[column].tolist() == expected[column].tolist()


def test_the_span_is_exact_in_every_source(lake):
    start = pd.Timestamp("2024-02-02", tz="UTC")
    span = Window(start.to_pydatetime(), (start + timedelta(hours=16)).to_pydatetime())
    found = read_rows(make_spec(), lake.fill().connections, span)
    expected = make_rows(10)
    inside = (expected["at"] >= span.start) & (expected["at"] < span.end)
    assert len(found) == 3 * inside.sum() == 6


def test_joined_columns_are_those_of_the_contract(lake):
    write_joined(lake.fill())
    spec = make_spec(joins=[WEATHER, SHOPS], columns=JOINED)
    found = read_rows(spec, lake.connections, SPAN).set_index("number")
    assert "extra" not in found
    hours = (found["at"] - pd.Timestamp(SPAN.start)) / pd.Timedelta("1h")
    assert found["temp"].tolist() == hours.tolist()
    assert found["size"].tolist() == [{"a": 10.0, "b": 20.0}[shop] for shop in found["shop"]]


def test_a_lead_is_when_the_weather_was_known(lake):
    write_joined(lake.fill())
    times = {"event_time": "at", "known_at": {"lead": "90m"}, "label_known_at": {"delay": "2d"}}
    spec = make_spec(joins=[WEATHER], columns={"temp": {"type": "number"}}, times=times)
    found = read_rows(spec, lake.connections, SPAN)
    hours = (found["at"] - pd.Timestamp(SPAN.start)) / pd.Timedelta("1h")
    assert found["temp"].tolist() == (hours - 2).tolist()


def test_a_join_that_brings_nothing_wanted_is_not_read(lake):
    spec = make_spec(joins=[WEATHER, SHOPS])
    assert len(read_rows(spec, lake.fill().connections, SPAN)) == 30


def test_bad_values_stay_as_they_came(lake):
    south = make_rows(3, first=200, amount=["1", "=cmd()", "3"], at=["2024-02-01", "soon", ""])
    lake.fill(south=south.astype("str"))
    found = read_rows(make_spec(), lake.connections, SPAN).set_index("number")
    assert found.loc[200:202, "amount"].tolist() == [1.0, "=cmd()", 3.0]
    assert found.loc[201, "at"] == "soon"
    assert pd.isna(found.loc[202, "at"])


def test_every_faulty_source_is_told_at_once(lake):
    lake.fill()
    (lake.folder / "south" / "visits.csv.gz").unlink()
    (lake.folder / "west.sqlite").unlink()
    write_sqlite(lake.folder / "west.sqlite", make_rows(1), table="other")
    columns = {"colour": {"type": "category"}}
    with pytest.raises(SourceError) as caught:
        read_rows(make_spec(columns=columns), lake.connections, SPAN)
    assert str(caught.value).splitlines() == [
        "source north (connection north, visits): has no column colour; "
        "mend the source or the contract's columns",
        "source south (connection south, visits.csv.gz): there is no such file or folder; "
        "check the path and the connection",
        "source west (connection west, visits): there is no such table; "
        "check the path and the connection",
    ]
    assert not caught.value.transient


def test_only_passing_faults_may_be_tried_again(lake):
    lake.fill()
    gone = lake.connections.connections["west"].model_copy(
        update={"url": "postgresql+psycopg://me@127.0.0.1:9/db?connect_timeout=2"}
    )
    lake.connections.connections["west"] = gone
    with pytest.raises(SourceUnavailableError, match="source west"):
        read_rows(make_spec(), lake.connections, SPAN)
    missing = {**ROWS[0], "path": "nowhere"}
    with pytest.raises(SourceError, match="source west") as caught:
        read_rows(make_spec(rows=[missing, ROWS[2]]), lake.connections, SPAN)
    assert not caught.value.transient


def test_a_repeated_key_of_a_joined_table_is_told(lake):
    write_joined(lake.fill())
    write_csv(lake.folder / "shops.csv", pd.DataFrame({"shop": ["a", "b", "a"], "size": [1, 2, 3]}))
    spec = make_spec(joins=[SHOPS], columns={"size": {"type": "number"}})
    with pytest.raises(SourceError, match=r"source shops .*1 rows repeat the key shop"):
        read_rows(spec, lake.connections, SPAN)


def test_an_unknown_connection_is_a_fault_of_its_source(lake):
    spec = make_spec(rows=[{**ROWS[0], "connection": "sea"}])
    with pytest.raises(
        SourceError, match=r"source north \(connection sea, visits\): no connection"
    ):
        read_rows(spec, lake.connections, SPAN)


def test_no_rows_at_all_are_an_empty_frame_of_the_right_types(lake):
    spec = make_spec("nobody", joins=[WEATHER, SHOPS], columns=JOINED)
    write_joined(lake.fill())
    found = read_rows(spec, lake.connections, Window(SPAN.start, AS_OF))
    assert found.empty
    assert found["temp"].dtype == "float64"


def test_a_path_may_name_the_tenant(lake):
    lake.fill()
    whole = lake.folder / "south" / "visits.csv.gz"
    whole.rename(whole.with_name("acme.csv.gz"))
    rows = [{**ROWS[1], "path": "{tenant}.csv.gz"}]
    assert sorted(read_rows(make_spec(rows=rows), lake.connections, SPAN)["number"]) == [
        *range(200, 210)
    ]
    with pytest.raises(SourceError, match=r"\(connection south, bree.csv.gz\): there is no such"):
        read_rows(make_spec("bree", rows=rows), lake.connections, SPAN)
