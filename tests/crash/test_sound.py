"""What the comparison of stores finds: every way in which an object may not be whole."""

import pytest

from tenantry import layout
from tenantry.digests import sha256
from tenantry.serving.state import write_state
from tests.crash.sound import find_unsound
from tests.unit.memory_store import MemoryStore
from tests.unit.serving.test_following import empty_state

CHUNK = b"not a chunk of rows"
RECEIPT = "tenants/p/ua/predictions/w/m-s/receipt.json"


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("runs/r/plan.json", b'{"tenants": {"ua": '),
        ("runs/r/ledgers/s/plan.jsonl", b'{"run": "r"}\n{"tenant": "ua"}'),
        ("tenants/p/ua/features/x.parquet", b"PAR1 and no end"),
        ("tenants/p/ua/models/v/model.skops", b"PK\x03\x04 and no end"),
        ("runs/r/report.html", b"<html><body>"),
        ("runs/r/metrics.txt", b"# TYPE tenantry_run_bad gauge\n"),
        ("runs/r/bill.csv", b"tenant,share\nua,1.0\nvx"),
        ("tenants/p/ua/models/v/packed.bin", b"tenantry packed 1\nand no end"),
        ("tenants/p/ua/serving/x.online", b"no such file"),
        ("runs/r/unheard.of", b""),
        (f"tenants/p/ua/served/w/m/{sha256(b'')}.parquet", b"PAR1 and no end"),
        (layout.segment("p", sha256(b"{}\n")), b"[]\n"),
    ],
)
def test_an_object_that_is_not_whole_is_found(key, content):
    store = MemoryStore()
    store.put(key, content)
    (fault,) = find_unsound(store)
    assert fault.startswith(f"unsound: {key}")


def test_online_features_as_they_are_published_are_whole():
    store = MemoryStore()
    write_state(store, "p", "ua", empty_state(1))
    assert not [*find_unsound(store)]
