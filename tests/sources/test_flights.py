"""The demo's fleet reads real flights from three regions, and nothing of the future."""

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tenantry.sources.collect import collect_rows
from tenantry.sources.connections import load_connections
from tenantry.specs.load import load_product
from tools.make_demo_data import package_folder, read_flights

AS_OF = datetime(2013, 10, 1, tzinfo=UTC)
SPECS = Path(__file__).parents[2] / "tenant_specs"
TENANTS = ("vx", "ha", "9e")


@pytest.fixture(scope="module")
def specs():
    return load_product(SPECS, "arrival-delay").specs


@pytest.fixture(scope="module")
def flights():
    return read_flights(package_folder())


def connect(landing, folder):
    """Return the connections of the demo, with another folder as the landing zones."""
    file = folder / "connections.yaml"
    shipped = (SPECS / "connections.yaml").read_text()
    assert "../demo/landing" in shipped
    file.write_text(shipped.replace("../demo/landing", str(landing)))
    return load_connections(file, {})


def test_every_flight_known_by_then_is_somebodys(specs, landing, flights, tmp_path):
    connections = connect(landing, tmp_path)
    known = flights[flights["sched_dep_at"] <= AS_OF]
    counted = known["carrier"].str.lower().value_counts()
    labels = known[known["arrived_at"] <= AS_OF]
    for tenant in TENANTS:
        checked = collect_rows(specs[tenant], connections, AS_OF)
        assert checked.quality.rows + checked.quality.quarantined == counted[tenant]
        late = labels[labels["carrier"] == tenant.upper()]["arr_delay"].dropna().astype(float) > 15
        assert checked.quality.labelled == len(late)
        assert checked.rows["label"].sum() == late.sum()


def test_weather_is_the_latest_by_scheduled_departure(specs, landing, tmp_path):
    rows = collect_rows(specs["vx"], connect(landing, tmp_path), AS_OF).rows
    weather = pq.read_table(landing / "weather" / "observations.parquet").to_pandas()
    for row in rows.sample(60, random_state=1).itertuples():
        seen = weather[
            (weather["origin"] == row.origin)
            & (weather["observed_at"] <= row.event_time)
            & (weather["observed_at"] >= row.event_time - timedelta(hours=3))
        ]
        expected = seen.sort_values("observed_at")["temp"].tail(1).tolist()
        assert [row.temp] == expected or (not expected and pd.isna(row.temp))


def test_garbage_in_the_future_changes_nothing(specs, landing, tmp_path):
    poisoned = tmp_path / "landing"
    shutil.copytree(landing, poisoned)
    poison(poisoned)
    clean, other = connect(landing, tmp_path), connect(poisoned, tmp_path)
    for tenant in TENANTS:
        one, two = (collect_rows(specs[tenant], where, AS_OF) for where in (clean, other))
        pd.testing.assert_frame_equal(one.rows, two.rows)
        pd.testing.assert_frame_equal(one.quarantined, two.quarantined)
        assert one.quality == two.quality


def poison(landing):
    """Replace all that is not known at `AS_OF` by garbage, in each region's own form."""
    for month in ("2013-09", "2013-10", "2013-11", "2013-12", "2014-01"):
        part = landing / "ewr" / "flights" / f"month={month}" / "part-0.parquet"
        table = pq.ParquetFile(part).read()
        far = pd.Timestamp("2199-01-01", tz="UTC")
        rows = _garbled(table.to_pandas(), dest="<b>", delay=-9999, distance=-1, arrived=far)
        pq.write_table(table.from_pandas(rows, schema=table.schema, preserve_index=False), part)
    csv = landing / "jfk" / "flights.csv.gz"
    rows = pd.read_csv(csv, dtype="str")
    rows = _garbled(rows, dest="=cmd()", delay="{{$.x}}", distance="far", arrived="soon")
    rows.to_csv(csv, index=False)
    with sqlite3.connect(landing / "lga" / "flights.sqlite") as database:
        database.execute(
            "UPDATE flights SET dest = NULL, distance = 'far'"
            " WHERE sched_dep_at > '2013-10-01 00:00:01'"
        )
        database.execute(
            "UPDATE flights SET arr_delay = '<i>', dep_delay = X'00',"
            " arrived_at = '2199-01-01 00:00:00.000000'"
            " WHERE arrived_at IS NULL OR arrived_at > '2013-10-01 00:00:00.000000'"
        )
    database.close()
    file = landing / "weather" / "observations.parquet"
    weather = pq.read_table(file).to_pandas()
    later = weather["observed_at"] > AS_OF
    weather.loc[later, ["temp", "wind_speed", "visib"]] = -9999.0
    weather.to_parquet(file, index=False)


def _garbled(rows, *, dest, delay, distance, arrived):
    later = pd.to_datetime(rows["sched_dep_at"], utc=True) > AS_OF
    unknown = ~(pd.to_datetime(rows["arrived_at"], utc=True) <= AS_OF)
    rows.loc[later, "dest"] = dest
    rows.loc[later, "distance"] = distance
    rows.loc[unknown, ["arr_delay", "dep_delay"]] = delay
    rows.loc[unknown, "arrived_at"] = arrived
    return rows
