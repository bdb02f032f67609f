"""Parquet and CSV are read with columns, equalities and times pushed down."""

import gzip
from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenantry.errors import SourceError
from tenantry.sources.connections import Connection
from tenantry.sources.files import read_csv, read_parquet
from tenantry.sources.query import Query
from tenantry.specs.data import Source
from tenantry.times import Window
from tests.unit.sources.lake import SPAN, make_rows, write_csv, write_parquet

COLUMNS = ("number", "at", "amount")


def query(folder, path, kind, *, columns=COLUMNS, equals=None, within=("at", SPAN)):
    return Query(
        source=Source(name="visits", connection="lake", kind=kind, path=path),
        connection=Connection(url=folder.as_uri()),
        columns=tuple(columns),
        equals={"brand": "ACME"} if equals is None else equals,
        within=within,
    )


def test_parquet_comes_with_its_types(tmp_path):
    rows = make_rows(10)
    write_parquet(tmp_path / "v.parquet", rows)
    found = read_parquet(query(tmp_path, "v.parquet", "parquet"))
    pd.testing.assert_frame_equal(found, rows[list(COLUMNS)])


def test_csv_comes_as_text(tmp_path):
    write_csv(tmp_path / "v.csv.gz", make_rows(3, shop=["007", "", "NA"], amount=[1.5, None, 2]))
    found = read_csv(query(tmp_path, "v.csv.gz", "csv", columns=("shop", "amount")))
    assert found["shop"].tolist()[::2] == ["007", "NA"]
    assert found["amount"].tolist()[::2] == ["1.5", "2.0"]
    assert found.isna().to_numpy().tolist() == [[False, False], [True, True], [False, False]]
    assert (found.dtypes == "str").all()


def test_values_may_hold_line_breaks_wherever_a_block_of_csv_ends(tmp_path):
    shops = [f"{number}\n{'x' * 50}\r\n" for number in range(40_000)]  # two blocks and more
    write_csv(tmp_path / "v.csv", make_rows(len(shops), shop=shops))
    found = read_csv(query(tmp_path, "v.csv", "csv", columns=("shop",), within=None))
    assert found["shop"].tolist() == shops


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_other_tenants_rows_are_left_out(tmp_path, kind):
    rows = pd.concat([make_rows(5), make_rows(5, brand="acme"), make_rows(5, brand="ACME ")])
    write, read = (write_parquet, read_parquet) if kind == "parquet" else (write_csv, read_csv)
    write(tmp_path / "v", rows)
    assert len(read(query(tmp_path, "v", kind))) == 5


@pytest.mark.parametrize(
    ("brand", "value"),
    [
        (pd.Series([7, 8, 7]), "7"),
        (pd.Series(["7", "8", "7"], dtype="category"), "7"),
        (pd.Series(["7", None, "7"], dtype="str"), "7"),
    ],
)
def test_the_filter_column_may_have_other_types(tmp_path, brand, value):
    write_parquet(tmp_path / "v", make_rows(3, brand=brand))
    assert len(read_parquet(query(tmp_path, "v", "parquet", equals={"brand": value}))) == 2


def test_a_filter_column_that_no_name_can_equal_is_told(tmp_path):
    write_parquet(tmp_path / "v", make_rows(3, brand=[1, 2, 3]))
    with pytest.raises(SourceError, match="column brand is int64, which no part of a tenant's"):
        read_parquet(query(tmp_path, "v", "parquet"))


@pytest.mark.parametrize(
    "as_stored",
    [
        lambda at: at,
        lambda at: at.dt.tz_convert("Asia/Tokyo"),
        lambda at: at.dt.tz_localize(None),
        lambda at: at.dt.as_unit("s"),
        lambda at: at.dt.as_unit("ns"),
        lambda at: at.dt.date,
        lambda at: at.astype("str"),
        lambda at: at.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
    ],
)
@pytest.mark.parametrize("more", [timedelta(0), timedelta(microseconds=1)])
def test_times_of_every_form_lose_no_row_of_the_span(tmp_path, as_stored, more):
    span = Window(SPAN.start - more, SPAN.end + more)
    rows = make_rows(600, start="2023-11-15")
    inside = rows[(rows["at"] >= span.start) & (rows["at"] < span.end)]
    write_parquet(tmp_path / "v", rows.assign(at=as_stored(rows["at"])))
    found = read_parquet(query(tmp_path, "v", "parquet", within=("at", span)))
    assert set(inside["number"]) <= set(found["number"])
    assert len(found) <= len(inside) + 15  # five days of three visits


@pytest.mark.parametrize("outside", ["2023-12-31T23:00", "2024-03-01T01:00", None])
@pytest.mark.parametrize("statistics", [True, False])
def test_rows_outside_the_span_are_left_out_whatever_files_tell(tmp_path, outside, statistics):
    rows = make_rows(8, start="2024-01-05")
    rows.loc[5, "at"] = pd.Timestamp(outside, tz="UTC") if outside else pd.NaT
    rows.loc[7, "brand"] = None
    (tmp_path / "v").mkdir()
    for name, part in (("0", rows[:4]), ("1", rows[4:])):
        table = pa.Table.from_pandas(part, preserve_index=False)
        pq.write_table(table, tmp_path / "v" / name, row_group_size=2, write_statistics=statistics)
    found = read_parquet(query(tmp_path, "v", "parquet"))["number"].tolist()
    assert found == [number for number in range(1, 8) if number != 6 or outside is None]


def test_a_file_without_times_has_rows_that_nobody_can_place(tmp_path):
    rows = make_rows(4)
    (tmp_path / "v").mkdir()
    write_parquet(tmp_path / "v" / "0", rows[:2])
    write_parquet(tmp_path / "v" / "1", rows[2:].drop(columns="at"))
    assert read_parquet(query(tmp_path, "v", "parquet"))["number"].tolist() == [1, 2, 3, 4]


def test_rows_whose_time_nobody_can_place_are_not_lost(tmp_path):
    rows = make_rows(4)
    write_parquet(tmp_path / "v", rows.assign(at=rows["at"].where(rows["number"] != 2)))
    assert read_parquet(query(tmp_path, "v", "parquet"))["number"].tolist() == [1, 2, 3, 4]
    words = ["soon", None, "2024-02-01T09:00", "<b>"]
    write_parquet(tmp_path / "v", rows.assign(at=words))
    assert read_parquet(query(tmp_path, "v", "parquet"))["number"].tolist() == [1, 2, 3, 4]


def test_hive_folders_are_columns_and_spare_reading(tmp_path):
    for month, start in (("2024-01", "2024-01-05"), ("2024-02", "2024-02-05")):
        path = tmp_path / "v" / f"month={month}" / "0.parquet"
        write_parquet(path, make_rows(3, start=start))
    (tmp_path / "v" / "_SUCCESS").touch()
    broken = tmp_path / "v" / "month=2023-01" / "0.parquet"
    write_parquet(broken, make_rows(3, start="2023-01-05"))
    broken.write_bytes(broken.read_bytes()[:4] + b"?" * 40 + broken.read_bytes()[44:])
    found = read_parquet(
        query(tmp_path, "v", "parquet", columns=("month", "at"), equals={"month": "2024-02"})
    )
    assert found["month"].tolist() == ["2024-02"] * 3


def test_row_groups_of_other_tenants_are_not_read(tmp_path, monkeypatch):
    rows = pd.concat([make_rows(64), make_rows(64, brand="ZED")])
    table = pa.Table.from_pandas(rows, preserve_index=False)
    pq.write_table(table, tmp_path / "v", row_group_size=64)
    content = bytearray((tmp_path / "v").read_bytes())
    second = pq.ParquetFile(tmp_path / "v").metadata.row_group(1)
    for column in range(second.num_columns):
        start = (
            second.column(column).dictionary_page_offset or second.column(column).data_page_offset
        )
        content[start : start + 20] = b"\xff" * 20
    (tmp_path / "v").write_bytes(content)
    assert len(read_parquet(query(tmp_path, "v", "parquet"))) == 64


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "the file is not readable as csv"),
        (
            b"brand,number,at,amount\nACME,1,2024-02-01\n",
            "the file is not readable as csv (row 2)",
        ),
        (b"brand,number,at,amount\nACME,1,2024-02-01,\xff\n", "the file is not readable as csv"),
        (b"brand,number,number,amount\n1,2,3,4\n", "the file is not readable as csv"),
        (b"number,at\n1,2024-02-01\n", "has no column amount, brand"),
        (
            gzip.compress(b"brand,number,at,amount\n" + b"ACME,1,2024-02-01,5\n" * 99, mtime=0)[
                :-30
            ],
            "",
        ),
    ],
)
def test_broken_csv_is_told_without_a_value(tmp_path, content, fault):
    name = "v.csv.gz" if content[:2] == b"\x1f\x8b" else "v.csv"
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError) as caught:
        read_csv(query(tmp_path, name, "csv"))
    told = str(caught.value)
    assert told.startswith(f"source visits (connection lake, {name}): {fault}")
    assert "ACME" not in told
    assert str(tmp_path) not in told


def test_one_broken_file_of_many_is_named(tmp_path):
    write_parquet(tmp_path / "v" / "month=1" / "0.parquet", make_rows(3))
    (tmp_path / "v" / "month=2").mkdir()
    (tmp_path / "v" / "month=2" / "0.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(SourceError, match=r"month=2/0\.parquet is not readable as parquet; mend"):
        read_parquet(query(tmp_path, "v", "parquet"))


def test_files_of_clashing_types_are_told(tmp_path):
    write_parquet(tmp_path / "v" / "0.parquet", make_rows(3))
    write_parquet(tmp_path / "v" / "1.parquet", make_rows(3, amount=["x", "y", "z"]))
    with pytest.raises(SourceError, match="its rows are not readable as parquet"):
        read_parquet(query(tmp_path, "v", "parquet"))


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("nowhere", "there is no such file or folder; check the path and the connection"),
        ("../x", "the path leads out of the connection's folder; write one inside it"),
        ("empty", "the folder holds no file; check the path and what writes there"),
    ],
)
def test_nothing_to_read_is_told(tmp_path, path, fault):
    lake = tmp_path / "lake"
    (lake / "empty").mkdir(parents=True)
    with pytest.raises(SourceError) as caught:
        read_parquet(query(lake, path, "parquet"))
    assert str(caught.value) == f"source visits (connection lake, {path}): {fault}"


def test_a_database_holds_no_files():
    source = Source(name="visits", connection="db", kind="csv", path="v.csv")
    db = Query(source, Connection(url="sqlite:////x.sqlite"), COLUMNS)
    with pytest.raises(SourceError, match="the connection is a database, not a folder"):
        read_csv(db)
