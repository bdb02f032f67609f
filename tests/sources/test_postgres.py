"""PostgreSQL is read as every other source: pushed down, bound, in UTC; secrets come by name."""

from datetime import UTC, date, datetime, timedelta, timezone

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tenantry.errors import SourceError, SourceUnavailableError
from tenantry.sources.connections import load_connections
from tenantry.sources.read import read_rows
from tenantry.sources.sql import read_sql
from tests.unit.sources import lake
from tests.unit.sources import sql_cases as cases

UTC_MOMENTS = [
    datetime(2024, 1, 20, tzinfo=UTC),
    datetime(2024, 2, 1, tzinfo=UTC),
    datetime(2024, 2, 2, 9, tzinfo=timezone(timedelta(hours=14))),
    None,
    datetime(2024, 2, 2, tzinfo=UTC),
    datetime(2024, 2, 20, tzinfo=UTC),
]


@pytest.fixture
def database(postgres_url):
    engine = sa.create_engine(postgres_url, poolclass=sa.NullPool)
    yield engine
    engine.dispose()


@pytest.mark.parametrize(
    ("time_type", "written"),
    [
        (sa.DateTime(timezone=True), lambda at: at),
        (sa.DateTime(), lambda at: at.astimezone(UTC).replace(tzinfo=None)),
        (postgresql.TIMESTAMP(precision=0), lambda at: at.astimezone(UTC).replace(tzinfo=None)),
        (sa.Text(), lambda at: at.isoformat()),
    ],
)
def test_times_of_every_type_are_read(database, postgres_url, time_type, written):
    cases.fill(database, cases.visits(time_type), [at and written(at) for at in UTC_MOMENTS])
    found = read_sql(cases.query(postgres_url))
    assert cases.codes_inside(found) == [2, 3, 4]
    assert 6 not in found["code"].tolist()
    assert found["amount"].tolist() == [1.5] * len(found)


def test_days_are_read(database, postgres_url):
    days = [date(2024, 1, 20), date(2024, 2, 1), date(2024, 2, 20)]
    cases.fill(database, cases.visits(sa.Date()), days)
    assert read_sql(cases.query(postgres_url))["code"].tolist() == [2]


def test_another_time_zone_of_the_session_changes_nothing(database, postgres_url):
    cases.fill(database, cases.visits(sa.DateTime(timezone=True)), UTC_MOMENTS)
    url = f"{postgres_url}?options=-c%20timezone%3DAsia/Tokyo"
    assert cases.codes_inside(read_sql(cases.query(url))) == [2, 3, 4]


def test_a_table_of_another_schema_is_read(database, postgres_url):
    with database.begin() as session:
        session.execute(sa.text("CREATE SCHEMA IF NOT EXISTS other"))
        session.execute(sa.text("DROP TABLE IF EXISTS other.visits"))
        session.execute(sa.text('CREATE TABLE other.visits (brand uuid, code bigint, "at" date)'))
        session.execute(
            sa.text("INSERT INTO other.visits VALUES (:brand, 7, '2024-02-01')"),
            {"brand": "00000000-0000-0000-0000-000000000001"},
        )
    equals = {"brand": "00000000-0000-0000-0000-000000000001"}
    query = cases.query(postgres_url, path="other.visits", columns=("code",), equals=equals)
    assert read_sql(query)["code"].tolist() == [7]


def test_hostile_filters_are_only_values(database, postgres_url):
    cases.fill(database, cases.visits(sa.DateTime()), [None])
    hostile = "ACME'; DROP TABLE visits; --"
    assert read_sql(cases.query(postgres_url, equals={"brand": hostile})).empty
    assert len(read_sql(cases.query(postgres_url))) == 1


def test_what_is_not_there_or_not_allowed_is_told(database, postgres_url):
    with pytest.raises(SourceError, match="there is no such table"):
        read_sql(cases.query(postgres_url, path="nowhere"))
    cases.fill(database, cases.visits(sa.DateTime()), [None])
    with database.begin() as session:
        session.execute(sa.text("DROP ROLE IF EXISTS guest"))
        session.execute(sa.text("CREATE ROLE guest LOGIN PASSWORD 'guest'"))
    guest = sa.make_url(postgres_url).set(username="guest", password="guest")
    with pytest.raises(SourceError, match=r"cannot be read \(InsufficientPrivilege\)") as caught:
        read_sql(cases.query(guest.render_as_string(hide_password=False)))
    assert not caught.value.transient


def test_the_password_comes_by_name_and_is_never_told(database, postgres_url, tmp_path):
    url = sa.make_url(postgres_url)
    plain = url.set(password=None).render_as_string()
    file = tmp_path / "connections.yaml"
    file.write_text(f"connections: {{west: {{url: '{plain}', secret: WEST_PASSWORD}}}}")
    frame = lake.make_rows(10)
    with database.begin() as session:
        frame.to_sql("lake_visits", session, if_exists="replace", index=False)
    spec = lake.make_spec(rows=[{**lake.ROWS[2], "path": "lake_visits"}])
    connections = load_connections(file, {"WEST_PASSWORD": url.password})
    found = read_rows(spec, connections, lake.SPAN)
    expected = frame[list(found.columns)].astype({"number": "float64", "brand": "str"})
    pd.testing.assert_frame_equal(found, expected)
    wrong = load_connections(file, {"WEST_PASSWORD": "s3cr3t-but-wrong"})
    with pytest.raises(SourceUnavailableError, match="refused the login") as caught:
        read_rows(spec, wrong, lake.SPAN)
    assert "s3cr3t" not in f"{caught.value!r}"
