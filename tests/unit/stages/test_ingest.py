"""Each tenant's rows are copied as of the run's time; poison stays with its tenant."""

from datetime import UTC, datetime

import pandas as pd
import pytest

from tenantry.errors import ContractError, SourceError
from tenantry.jobs import Job
from tenantry.ledger import Entry
from tenantry.snapshots import read_quarantine, read_snapshot
from tenantry.stages.ingest import ingest
from tests.unit.memory_store import MemoryStore
from tests.unit.sources.lake import (
    AS_OF,
    ROWS,
    WEATHER,
    Lake,
    make_rows,
    make_spec,
    write_csv,
    write_parquet,
    write_sqlite,
)

CSV = {"rows": ROWS[1:2]}


@pytest.fixture
def lake(tmp_path):
    return Lake(tmp_path).fill()


def job(lake, spec, store=None, as_of=AS_OF):
    return Job(
        "run", as_of, spec, Entry(tenant=spec.tenant), store or MemoryStore(), lake.connections
    )


def run(lake, frame, *, columns=None, contract=None, as_of=AS_OF):
    """Ingest one frame as the tenant's only source, a CSV file."""
    write_csv(lake.folder / "south" / "visits.csv.gz", frame)
    return ingest(job(lake, make_spec(**CSV, columns=columns, contract=contract), as_of=as_of))


def test_the_snapshot_and_its_facts(lake):
    store = MemoryStore()
    result = ingest(job(lake, make_spec(), store))
    snapshot = result.facts["snapshot"]
    assert result.message == "30 rows"
    assert result.status == "done"
    assert result.facts == {"snapshot": snapshot, "rows": 30, "labelled": 30, "quarantined": 0}
    manifest, origin = result.keys
    assert manifest == f"tenants/spending/acme/snapshots/{snapshot}/manifest.json"
    assert origin.startswith(f"tenants/spending/acme/snapshots/{snapshot}/sources/20240301T000000Z")
    assert all(key in store.objects for key in result.keys)
    assert len(read_snapshot(store, "spending", "acme", snapshot)) == 30


def test_rows_set_aside_are_found_by_their_key(lake):
    store = MemoryStore()
    write_csv(lake.folder / "south" / "visits.csv.gz", make_rows(10).assign(shop=["z"] + ["a"] * 9))
    result = ingest(job(lake, make_spec(), store))
    assert result.message == "29 rows, 1 set aside (shop: not an allowed category 1)"
    assert result.facts["quarantined"] == 1
    assert result.keys[-1].endswith("quarantine.parquet")
    snapshot = result.facts["snapshot"]
    assert len(read_quarantine(store, "spending", "acme", snapshot)) == 1


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (make_rows(0), "acme: rows: there is none in the span that is read; check the sources"),
        (
            make_rows(20).assign(amount="plenty"),
            "acme: contract.max_quarantined_share: 100.0% of the rows are bad, "
            "at most 20.0% may be: 0 rows, 20 set aside "
            "(amount: not a finite number 20); mend the source",
        ),
        (
            make_rows(20).assign(amount=None),
            "acme: contract.columns.amount.max_null_share: 100.0% of the values are missing, "
            "at most 90.0% may be; mend the source",
        ),
        (
            pd.concat([make_rows(20), make_rows(10).assign(amount=5.5)]),
            "acme: contract.max_quarantined_share: 66.7% of the rows are bad, "
            "at most 20.0% may be: 10 rows, 20 set aside "
            "(brand, number: shared with another row 20); mend the source",
        ),
    ],
)
def test_poison_fails_its_tenant_with_a_remedy(lake, frame, told):
    columns = {"amount": {"type": "number", "max_null_share": 0.9}}
    with pytest.raises(ContractError) as caught:
        run(lake, frame, columns=columns)
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (make_rows(3), "3 rows"),
        (make_rows(1), "1 row"),
        (make_rows(20).assign(spent=0.0), "20 rows"),
        (make_rows(20).assign(amount=None), "20 rows"),
        (pd.concat([make_rows(20), make_rows(2)]), "20 rows, 2 copies left out"),
        (pd.concat([make_rows(20), make_rows(1, first=99, start="2099-01-01")]), "20 rows"),
        (
            make_rows(20).assign(amount=["<script>alert(1)</script>", *range(19)]),
            "19 rows, 1 set aside (amount: not a finite number 1)",
        ),
        (
            make_rows(20).assign(at=["{{$.inputs}}", *make_rows(20)["at"].astype("str")[1:]]),
            "19 rows, 1 set aside (at: not a time 1)",
        ),
    ],
)
def test_lesser_poison_is_set_aside_or_passes(lake, frame, message):
    assert run(lake, frame).message == message


def test_rows_not_yet_known_are_counted(lake):
    times = {"event_time": "at", "known_at": {"column": "known"}, "label_known_at": {"delay": "2d"}}
    spec = make_spec(**CSV, columns={"known": {"type": "time"}}, times=times)
    frame = make_rows(20).assign(known=["2099-01-01"] * 2 + ["2024-02-01"] * 18)
    write_csv(lake.folder / "south" / "visits.csv.gz", frame)
    assert ingest(job(lake, spec)).message == "18 rows, 2 not yet known"


def test_a_missing_file_is_told(lake):
    (lake.folder / "south" / "visits.csv.gz").unlink()
    with pytest.raises(
        SourceError, match=r"source south .* there is no such file or folder; check"
    ):
        ingest(job(lake, make_spec()))


def test_the_poison_of_one_tenant_changes_nothing_of_another(lake):
    clean, poisoned = MemoryStore(), MemoryStore()
    ingest(job(lake, make_spec("other"), clean))
    rows = make_rows(10, first=200).assign(amount="plenty", shop="<b>")
    other = make_rows(5, brand="OTHER", first=900)
    write_csv(lake.folder / "south" / "visits.csv.gz", pd.concat([rows, other]))
    ingest(job(lake, make_spec("other"), poisoned))
    assert outputs(clean) == outputs(poisoned)


def test_garbage_after_as_of_changes_no_byte(lake):
    as_of = datetime(2024, 2, 3, 12, tzinfo=UTC)
    spec = make_spec(joins=[WEATHER], columns={"temp": {"type": "number"}})
    stores = []
    for garbage in (False, True):
        north, south, west = (make_rows(20, first=first) for first in (100, 200, 300))
        hours = pd.date_range("2024-01-20", "2024-03-01", freq="h", tz="UTC", unit="us")
        weather = pd.DataFrame({"seen_at": hours, "temp": 1.0, "place": "a"})
        if garbage:
            north, west = (_poisoned(rows, as_of, -1e9) for rows in (north, west))
            south = _poisoned(south.astype({"amount": object, "spent": object}), as_of, "<b>")
            weather.loc[weather["seen_at"] > as_of, "temp"] = -999.0
        lake.fill(north=north, south=south, west=west)
        write_parquet(lake.folder / "weather.parquet", weather)
        stores.append(MemoryStore())
        ingest(job(lake, spec, stores[-1], as_of))
    assert outputs(stores[0]) == outputs(stores[1])


def outputs(store):
    """All but the records of the source files, in which the garbage lies."""
    return {key: one.content for key, one in store.objects.items() if "/sources/" not in key}


def _poisoned(rows, as_of, garbage):
    """Replace everything that is not known at `as_of`."""
    rows = rows.copy()
    later = rows["at"] > as_of
    rows.loc[later, "amount"] = garbage
    rows.loc[later, "shop"] = "garbage"
    rows.loc[rows["at"] + pd.Timedelta(days=2) > as_of, "spent"] = garbage
    return rows


def test_sqlite_alone_is_enough(tmp_path):
    lake = Lake(tmp_path)
    write_sqlite(tmp_path / "west.sqlite", make_rows(5))
    assert ingest(job(lake, make_spec(rows=ROWS[2:]))).facts["rows"] == 5
