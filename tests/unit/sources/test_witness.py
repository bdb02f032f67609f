"""What was read is recorded: files by content, tables by the rows they gave."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pandas as pd
import pytest

from tenantry.digests import sha256
from tenantry.origins import Origin
from tenantry.sources import stamps, witness
from tenantry.sources.collect import collect_rows
from tenantry.sources.query import Query
from tenantry.sources.witness import Witness
from tests.unit.sources.lake import (
    AS_OF,
    ROWS,
    WEATHER,
    Lake,
    make_rows,
    make_spec,
    write_csv,
    write_parquet,
)


@pytest.fixture
def lake(tmp_path):
    lake = Lake(tmp_path).fill()
    hours = pd.date_range("2024-01-20", "2024-03-01", freq="h", tz="UTC", unit="us")
    write_parquet(
        tmp_path / "weather.parquet", pd.DataFrame({"seen_at": hours, "temp": 1.0, "place": "a"})
    )
    return lake


def reads(lake, **changes):
    return {
        one.source: one for one in collect_rows(make_spec(**changes), lake.connections, AS_OF).reads
    }


def test_every_source_is_told_joined_ones_too(lake):
    told = reads(lake, joins=[WEATHER], columns={"temp": {"type": "number"}})
    assert list(told) == ["north", "south", "west", "weather"]
    (file,) = told["south"].files
    content = (lake.folder / "south/visits.csv.gz").read_bytes()
    assert (file.name, file.size, file.sha256) == ("visits.csv.gz", len(content), sha256(content))
    assert abs(datetime.now(UTC) - file.modified) < timedelta(hours=1)
    assert [file.name for file in told["north"].files] == ["visits/month=2024-02/0.parquet"]
    assert told["south"].equals == {"brand": "ACME"}
    assert told["south"].within == ("at", "2024-01-01T00:00:00Z", "2024-03-01T00:00:00Z")
    assert {name: one.rows for name, one in told.items()} | {"weather": 0} == {
        "north": 10,
        "south": 10,
        "west": 10,
        "weather": 0,
    }


def test_a_table_is_told_by_the_rows_it_gave(lake):
    before = reads(lake)["west"]
    assert before.files == ()
    lake.fill(west=make_rows(10, first=300)[::-1])
    assert reads(lake)["west"] == before, "in whatever order"
    lake.fill(west=make_rows(10, first=300).assign(amount=1.0))
    after = reads(lake)["west"]
    assert (before.digest.split("-")[0], after.digest != before.digest) == ("10", True)


def query(lake, **equals):
    spec = make_spec(rows=ROWS[:1])
    connection = lake.connections.find("north", "north")
    return Query(spec.sources.rows[0], connection, ("brand",), equals)


@pytest.mark.parametrize(
    ("equals", "months"), [({}, 2), ({"month": "2024-02"}, 1), ({"month": "2024-04"}, 0)]
)
def test_partitions_of_other_values_are_left_out(lake, equals, months):
    lake.fill(north=make_rows(100))
    assert len(Witness(query(lake, **equals)).testify(pd.DataFrame()).files) == months


@pytest.mark.parametrize(
    ("value", "wanted", "is_held"), [("07", "7", True), ("a%20b", "a b", True), ("x", "y", False)]
)
def test_values_in_paths_are_compared_as_arrow_does(lake, value, wanted, is_held):
    write_parquet(lake.folder / f"north/visits/number={value}/0.parquet", make_rows(1))
    names = [one.name for one in Witness(query(lake, number=wanted)).testify(pd.DataFrame()).files]
    assert (f"visits/number={value}/0.parquet" in names) is is_held


def test_a_file_that_is_written_meanwhile_is_told(lake):
    seen = Witness(query(lake))
    assert not seen.testify(pd.DataFrame()).changed
    lake.fill(north=make_rows(11, first=100))
    assert seen.testify(pd.DataFrame()).changed


def test_a_folder_is_listed_once_while_it_holds_the_same(lake, monkeypatch):
    monkeypatch.setattr(stamps, "SETTLED_NS", -1_000_000_000)
    listed, really = [], witness._list
    monkeypatch.setattr(witness, "_list", lambda folder: listed.append(folder) or really(folder))
    visits, elsewhere = lake.folder / "north/visits", lake.folder / "elsewhere.parquet"

    def names():
        return [file.name for file in Witness(query(lake)).testify(pd.DataFrame()).files]

    first = "visits/month=2024-02/0.parquet"
    assert (names(), names(), len(listed)) == ([first], [first], 2)
    (visits / "1.parquet").symlink_to(elsewhere)
    assert (names(), names(), len(listed)) == ([first], [first], 3)
    write_parquet(elsewhere, make_rows(1))
    assert (names(), len(listed)) == (["visits/1.parquet", first], 3)
    time.sleep(0.02)  # clocks of files are coarse
    (visits / "month=2024-02/0.parquet").unlink()
    assert names() == ["visits/1.parquet"]


def test_hidden_files_are_not_data(lake):
    for name in ("_SUCCESS", ".crc", "_temporary/0.parquet"):
        path = lake.folder / "north/visits" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    names = [one.name for one in Witness(query(lake)).testify(pd.DataFrame()).files]
    assert names == ["visits/month=2024-02/0.parquet"]


def test_a_file_is_hashed_once_a_process(lake):
    witness._sha256.cache_clear()
    for tenant in ("acme", "other"):
        collect_rows(make_spec(tenant), lake.connections, AS_OF)
    assert witness._sha256.cache_info().misses == 2, "one of each folder"
    write_csv(lake.folder / "south/visits.csv.gz", make_rows(11, first=200))
    collect_rows(make_spec(), lake.connections, AS_OF)
    assert witness._sha256.cache_info().misses == 3


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "number"),
        ([1.5, None], "number"),
        ([Decimal(1), None], "number"),
        ([True, False], "truth"),
        ([True, None], "truth"),
        (["far", None], "text"),
        (pd.Series(["far"], dtype="category"), "text"),
        (pd.to_datetime(["2024-01-01"]), "time"),
        ([datetime(2024, 1, 1, tzinfo=UTC).date()], "time"),
        (["far", 1], "mixed"),
    ],
    ids=str,
)
def test_the_type_that_values_came_as_is_told(lake, values, kind):
    frame = pd.DataFrame({"distance": values, "empty": None})
    assert Witness(query(lake)).testify(frame).types == {"distance": kind}


def test_types_are_no_part_of_a_records_name(lake):
    told = tuple(reads(lake).values())
    origin = Origin(
        product="visits",
        tenant="acme",
        snapshot="5" * 64,
        as_of=AS_OF,
        run="r",
        spec_digest="s",
        code_version="1",
        rows=9,
        fingerprint="f",
        reads=told,
    )
    other = tuple(one.model_copy(update={"types": {}}) for one in told)
    assert origin.name == origin.model_copy(update={"reads": other}).name
