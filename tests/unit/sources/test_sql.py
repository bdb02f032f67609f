"""SQL tables are read with columns, equalities and times in the statement, as bound parameters."""

import sqlite3

import pytest
import sqlalchemy as sa

from tenantry.errors import SourceError, SourceUnavailableError
from tenantry.sources.sql import read_sql
from tests.unit.sources import sql_cases as cases

MOMENTS = [cases.naive(1, 20), cases.naive(2, 1), cases.naive(2, 1, 23, 59, 59), None]
MOMENTS += [cases.naive(2, 2), cases.naive(2, 20)]


@pytest.fixture
def database(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'db.sqlite'}", poolclass=sa.NullPool)
    yield engine
    engine.dispose()


def url_of(engine):
    return engine.url.render_as_string(hide_password=False)


def test_columns_come_as_plain_values(database):
    cases.fill(database, cases.visits(sa.DateTime()), MOMENTS)
    found = read_sql(cases.query(url_of(database)))
    assert list(found.columns) == ["code", "at", "amount", "note"]
    assert found["amount"].tolist() == [1.5] * len(found)
    assert found["note"].tolist() == ["'; DROP TABLE visits; --"] * len(found)
    assert cases.codes_inside(found) == [2, 3, 4]


@pytest.mark.parametrize(
    "written",
    [
        "%Y-%m-%d %H:%M:%S.%f",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%SZ",
        "%Y-%m-%dT%H:%M:%S+00:00",
    ],
)
@pytest.mark.parametrize("declared", ["DATETIME", "TEXT", "TIMESTAMP"])
def test_sqlite_times_of_any_form_are_read(tmp_path, written, declared):
    with sqlite3.connect(tmp_path / "db.sqlite") as database:
        database.execute(f"CREATE TABLE visits (brand TEXT, code INTEGER, at {declared})")
        rows = [
            ("ACME", code, at and at.strftime(written)) for code, at in enumerate(MOMENTS, start=1)
        ]
        database.executemany("INSERT INTO visits VALUES (?, ?, ?)", rows)
    database.close()
    query = cases.query(f"sqlite:///{tmp_path / 'db.sqlite'}", columns=("code", "at"))
    found = read_sql(query)
    assert cases.codes_inside(found) == [2, 3, 4]
    assert 6 not in found["code"].tolist()


def test_values_are_bound_and_tenants_kept_apart(database):
    cases.fill(database, cases.visits(sa.DateTime()), MOMENTS)
    statements = []
    hostile = {"brand": "ACME' OR '1'='1"}
    with sa.create_engine(database.url).connect() as session:
        before = session.execute(sa.text("SELECT count(*) FROM visits")).scalar()
    sa.event.listen(
        sa.Engine,
        "before_cursor_execute",
        record := lambda *args: statements.append((args[2], args[3])),
    )
    try:
        assert read_sql(cases.query(url_of(database), equals=hostile)).empty
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", record)
    assert before == len(MOMENTS)
    select, parameters = statements[-1]
    assert "ACME" not in select
    assert hostile["brand"] in parameters


def test_a_text_that_is_no_time_is_not_lost(tmp_path):
    with sqlite3.connect(tmp_path / "db.sqlite") as database:
        database.execute("CREATE TABLE visits (brand TEXT, code INTEGER, at DATETIME)")
        database.executemany("INSERT INTO visits VALUES ('ACME', ?, ?)", [(1, "soon"), (2, 7)])
    database.close()
    query = cases.query(f"sqlite:///{tmp_path / 'db.sqlite'}", columns=("code", "at"))
    assert read_sql(query)["at"].tolist() == ["soon", 7]


@pytest.mark.parametrize(("value", "count"), [("2", 1), ("x", 0)])
def test_a_number_may_be_the_filter(database, value, count):
    cases.fill(database, cases.visits(sa.DateTime()), MOMENTS)
    assert len(read_sql(cases.query(url_of(database), equals={"code": value}))) == count


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"path": "nowhere"}, "there is no such table; check the path and the connection"),
        ({"path": 'x"; DROP TABLE visits; --'}, "there is no such table"),
        ({"columns": ("code", "size", "age")}, "has no column age, size; mend the source"),
    ],
)
def test_what_is_not_there_is_told(database, more, fault):
    cases.fill(database, cases.visits(sa.DateTime()), MOMENTS)
    with pytest.raises(SourceError) as caught:
        read_sql(cases.query(url_of(database), **more))
    assert fault in str(caught.value)
    assert str(caught.value).startswith("source visits (connection db, ")


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("sqlite:////nowhere/db.sqlite", "there is no such database file"),
        ("sqlite://", "there is no such database file"),
        ("nonsense", "the connection is no SQLAlchemy URL; write e.g. postgresql"),
        ("file:///lake", "the connection is a folder; write `kind: parquet`"),
        ("nosuch://u:pass@h/db", "no driver for nosuch; install it"),
        ("mysql+nosuch://u:pass@h/db", r"no driver for mysql\+nosuch"),
    ],
)
def test_urls_that_lead_nowhere_are_told(url, fault):
    with pytest.raises(SourceError, match=fault) as caught:
        read_sql(cases.query(url))
    assert "pass" not in str(caught.value)


def test_a_file_that_is_no_database_is_told(tmp_path):
    (tmp_path / "db.sqlite").write_bytes(b"not a database" * 99)
    with pytest.raises(SourceError, match=r"the table cannot be read \(DatabaseError\)") as caught:
        read_sql(cases.query(f"sqlite:///{tmp_path / 'db.sqlite'}"))
    assert not caught.value.transient


def test_a_locked_database_may_be_tried_again(database, tmp_path):
    cases.fill(database, cases.visits(sa.DateTime()), MOMENTS)
    holder = sqlite3.connect(tmp_path / "db.sqlite", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(SourceUnavailableError, match="did not answer"):
            read_sql(cases.query(f"{url_of(database)}?timeout=0.1"))
    finally:
        holder.close()


def test_a_database_that_is_down_may_be_tried_again_and_tells_no_secret():
    url = "postgresql+psycopg://me@127.0.0.1:9/db?connect_timeout=2"
    with pytest.raises(SourceUnavailableError, match="did not answer") as caught:
        read_sql(cases.query(url, secret="PW", password="s3cr3t"))
    assert "s3cr3t" not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert caught.value.__suppress_context__
