"""Suppressed rows are known again, however their values are written."""

import numpy as np
import pandas as pd
import pytest

from tenantry.contract import check_rows
from tenantry.erasure.suppression import find_suppressed, read_suppressed, suppress
from tenantry.snapshots import read_snapshot, write_snapshot
from tests.unit.erasure.made import LATE, PRODUCT, rows_of, spec_of
from tests.unit.memory_store import MemoryStore

SPEC = spec_of("acme")


def suppressed_by(**values):
    store = MemoryStore()
    suppress(store, SPEC, pd.DataFrame({name: [value] for name, value in values.items()}))
    return read_suppressed(store, PRODUCT, "acme")


@pytest.mark.parametrize(
    ("column", "value", "same", "other"),
    [
        ("number", "12", [12, 12.0, "12", "12.0", np.int64(12)], [13, "", None, "x"]),
        ("amount", "1.5", [1.5, "1.50"], [1, None]),
        (
            "at",
            "2024-02-01",
            ["2024-02-01T00:00:00Z", pd.Timestamp("2024-02-01 01:00", tz="Europe/Paris")],
            ["2024-02-02", None],
        ),
        ("guest", "Zoë", ["Zoë"], ["Zoe", None, ""]),
    ],
)
def test_a_value_is_the_same_in_whatever_form(column, value, same, other):
    suppressed = suppressed_by(**{column: value})
    rows = pd.DataFrame({column: pd.Series([*same, *other], dtype=object)})
    assert find_suppressed(suppressed, rows, SPEC.contract.columns).tolist() == [True] * len(
        same
    ) + [False] * len(other)


def test_all_columns_of_a_key_must_be_the_same():
    suppressed = suppressed_by(brand="ACME", number="2")
    rows = pd.DataFrame({"brand": ["ACME", "ACME", "BOLT"], "number": [2, 3, 2]})
    assert find_suppressed(suppressed, rows, SPEC.contract.columns).tolist() == [True, False, False]


def test_a_key_whose_columns_are_not_there_finds_nothing():
    suppressed = suppressed_by(brand="ACME", number="2")
    assert not find_suppressed(
        suppressed, pd.DataFrame({"number": [2.0]}), SPEC.contract.columns
    ).any()


def test_typed_rows_of_a_snapshot_are_found_by_raw_values():
    store, checked = MemoryStore(), check_rows(rows_of("acme"), SPEC, LATE)
    rows = read_snapshot(store, PRODUCT, "acme", write_snapshot(store, SPEC, checked))
    found = find_suppressed(
        suppressed_by(number="12", at="2024-01-23T16:00:00"), rows, SPEC.contract.columns
    )
    assert rows[found]["number"].tolist() == [12]


def test_only_hashes_are_kept_and_the_salt_stays():
    store = MemoryStore()
    suppress(store, SPEC, pd.DataFrame({"guest": ["guest-1"]}))
    salt = read_suppressed(store, PRODUCT, "acme").salt
    suppress(store, SPEC, pd.DataFrame({"guest": ["guest-2", "guest-1"]}))
    kept = read_suppressed(store, PRODUCT, "acme")
    assert kept.salt == salt
    assert [len(entry.hashes) for entry in kept.entries] == [2]
    assert b"guest-1" not in kept.to_json()


def test_two_tenants_hash_one_value_differently():
    store, other = MemoryStore(), spec_of("bolt")
    frame = pd.DataFrame({"guest": ["guest-1"]})
    assert suppress(store, SPEC, frame) != suppress(store, other, frame)
