from datetime import UTC, datetime, timedelta

import pytest

from tenantry.digests import sha256
from tenantry.errors import RecordError
from tenantry.predictions import Receipt
from tenantry.receipts import list_predicted, read_receipt, read_receipts, write_predictions
from tenantry.times import Window, compact
from tests.unit.memory_store import MemoryStore

START = datetime(2013, 10, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
FIRST, SECOND = Window(START, START + WEEK), Window(START + WEEK, START + 2 * WEEK)


def receipt(window: Window, trained: datetime, as_of: datetime, snapshot: str = "a") -> Receipt:
    return Receipt(
        product="delay",
        tenant="ua",
        window=window.id,
        model=f"{compact(trained)}-0123456789ab",
        model_digest="d" * 64,
        trained_until=trained,
        snapshot=snapshot * 64,
        features="f" * 64,
        as_of=as_of,
        rows=0,
        decided=0,
        threshold=0.5,
        mean_probability=None,
        in_sample=window.start < trained,
    )


def write(store: MemoryStore, *receipts: Receipt) -> None:
    for one in receipts:
        store.put_if_absent(one.folder + "receipt.json", one.to_json())


def test_nothing_was_predicted():
    assert read_receipts(MemoryStore(), "delay", "ua") == {}


def test_receipts_by_window_in_order_of_time():
    store = MemoryStore()
    second, first = (receipt(window, START, START + 2 * WEEK) for window in (SECOND, FIRST))
    write(store, second, first)
    assert list(read_receipts(store, "delay", "ua").items()) == [(FIRST, first), (SECOND, second)]
    assert list(read_receipts(store, "delay", "ua", windows=[SECOND])) == [SECOND]


@pytest.mark.parametrize(
    "name", ["receipt.json", "x/y-z/receipt.json", f"{FIRST}/y-z/receipt.json"]
)
def test_a_name_that_tells_no_window_or_model_is_no_receipt(name):
    store = MemoryStore()
    known = receipt(FIRST, START, SECOND.end)
    write(store, known)
    store.put(f"tenants/delay/ua/predictions/{name}", b"{}")
    assert [one.key for one in list_predicted(store, "delay", "ua")] == [known.key]


def test_names_tell_window_model_and_sample_without_a_read():
    store = MemoryStore()
    write(store, receipt(FIRST, START, SECOND.end), receipt(SECOND, SECOND.end, SECOND.end))
    listed = list_predicted(store, "delay", "ua")
    assert [(name.span, name.in_sample) for name in listed] == [(FIRST, False), (SECOND, True)]
    assert {name.model for name in listed} == {
        "20131001T000000Z-0123456789ab",
        "20131015T000000Z-0123456789ab",
    }
    assert store.reads == 0


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        pytest.param(
            receipt(FIRST, START, SECOND.end),
            receipt(FIRST, START, SECOND.end + WEEK, "b"),
            id="late rows",
        ),
        pytest.param(
            receipt(FIRST, SECOND.end, SECOND.end + WEEK),
            receipt(FIRST, START, SECOND.end),
            id="out of sample by a backfill",
        ),
    ],
)
def test_the_receipt_in_force(earlier, later):
    store = MemoryStore()
    write(store, later, earlier)
    assert read_receipts(store, "delay", "ua") == {FIRST: later}


def test_receipts_of_later_runs_are_unknown():
    store = MemoryStore()
    late = receipt(FIRST, START, SECOND.end + WEEK, "b")
    write(store, late, receipt(FIRST, START, SECOND.end))
    known = read_receipts(store, "delay", "ua", until=SECOND.end)
    assert known == {FIRST: receipt(FIRST, START, SECOND.end)}


def test_a_broken_receipt_names_its_key():
    store = MemoryStore()
    store.put("tenants/delay/ua/x/receipt.json", b"{}")
    with pytest.raises(RecordError, match=r"x/receipt\.json is not a Receipt: product"):
        read_receipt(store, "tenants/delay/ua/x/receipt.json")
    of_no_time = receipt(FIRST, START, START).model_copy(update={"window": "x"})
    store.put("tenants/delay/ua/x/receipt.json", of_no_time.to_json())
    with pytest.raises(RecordError, match=r"x/receipt\.json is not a Receipt: window"):
        read_receipt(store, "tenants/delay/ua/x/receipt.json")


def test_a_file_is_what_its_name_was_given_for_even_where_rows_were_erased_from_another():
    store = MemoryStore()
    by = receipt(FIRST, START, SECOND.end)
    file = write_predictions(store, by, b"two rows", rows=2)
    assert write_predictions(store, by, b"two rows", rows=2) == file
    store.put(file.key, b"one row")  # as an erasure does, of files that no receipt names, too
    again = write_predictions(store, by, b"two rows", rows=2)
    assert sha256(store.get(again.key).content) == again.sha256
    assert store.get(file.key).content == b"one row"
