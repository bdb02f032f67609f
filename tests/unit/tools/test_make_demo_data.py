"""The demo's landing zones hold every real flight once, in three regions' forms."""

import sqlite3

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tools.make_demo_data import make_demo_data, package_folder, read_flights


@pytest.fixture(scope="module")
def flights():
    return read_flights(package_folder())


def test_every_flight_is_there_once(flights):
    assert len(flights) == 336_776
    assert not flights.duplicated(["carrier", "flight", "sched_dep_at"]).any()


def test_local_wall_clock_agrees_with_utc(flights):
    raw = pd.read_csv(package_folder() / "flights.csv.zip", usecols=["sched_dep_time"])
    local = flights["sched_dep_at"].dt.tz_convert("America/New_York")
    ours = (local.dt.hour * 100 + local.dt.minute).value_counts().sort_index()
    assert ours.to_dict() == raw["sched_dep_time"].value_counts().sort_index().to_dict()


def test_arrivals_agree_with_the_wall_clock_at_the_destination(flights):
    zones = pd.read_csv(package_folder() / "airports.csv", index_col="faa")["tzone"]
    arrived = flights[flights["arrived_at"].notna()].reset_index(drop=True)
    clock = pd.Series(-1, index=arrived.index)
    for zone, rows in arrived.groupby(arrived["dest"].map(zones)).groups.items():
        local = arrived["arrived_at"].loc[rows].dt.tz_convert(zone).dt
        clock.loc[rows] = local.hour * 100 + local.minute
    listed = clock >= 0
    wrong = (clock != arrived["arr_time"] % 2400) & listed
    assert listed.mean() > 0.97
    assert wrong.sum() <= 1, "one flight's arrival is off by an hour in the package itself"


def test_flights_that_never_arrived_have_no_arrival(flights):
    assert flights["arrived_at"].isna().equals(flights["arr_delay"].isna())
    arrived = flights.dropna(subset="arrived_at")
    assert (arrived["arrived_at"] > arrived["sched_dep_at"]).all()


def test_regions_hold_their_own_flights(landing, flights):
    counts = flights["origin"].value_counts()
    ewr = pq.read_table(landing / "ewr" / "flights")
    assert set(ewr["origin"].to_pylist()) == {"EWR"}
    assert ewr.num_rows == counts["EWR"]
    jfk = pd.read_csv(landing / "jfk" / "flights.csv.gz", usecols=["origin"])
    assert jfk["origin"].value_counts().to_dict() == {"JFK": counts["JFK"]}
    with sqlite3.connect(landing / "lga" / "flights.sqlite") as database:
        lga = database.execute("SELECT origin, count(*) FROM flights GROUP BY origin").fetchall()
    assert lga == [("LGA", counts["LGA"])]


def test_a_complete_folder_is_left_alone(landing):
    before = {path: path.stat().st_mtime_ns for path in landing.rglob("*")}
    assert not make_demo_data(landing)
    assert {path: path.stat().st_mtime_ns for path in landing.rglob("*")} == before


def test_a_damaged_folder_is_mended_byte_for_byte(landing, tmp_path):
    files = [path for path in landing.rglob("*") if path.is_file()]
    for path in files:
        copy = tmp_path / path.relative_to(landing)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (tmp_path / "planes" / "planes.csv").write_bytes(b"half")
    assert make_demo_data(tmp_path)
    for path in files:
        assert (tmp_path / path.relative_to(landing)).read_bytes() == path.read_bytes()
