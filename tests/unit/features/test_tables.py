"""Feature tables keep what they were given, under the digest of their bytes."""

import numpy as np
import pandas as pd
import pytest

from tenantry import layout
from tenantry.digests import sha256
from tenantry.errors import ObjectMissingError, StoreError
from tenantry.features.recipe import build_features, table_features
from tenantry.features.tables import read_features, write_features
from tests.unit.features.conftest import make_spec
from tests.unit.memory_store import MemoryStore

SPEC = make_spec(
    {
        "temp": {"kind": "numeric"},
        "dest": {"kind": "categorical"},
        "hour": {"kind": "calendar", "part": "hour"},
    }
)
SNAPSHOT = "5" * 64


@pytest.fixture
def table(flights):
    return build_features(flights, table_features(SPEC), SPEC)


@pytest.mark.parametrize("rows", [None, 0])
def test_a_table_comes_back_as_it_was(table, rows):
    store, written = MemoryStore(), table.head(rows) if rows == 0 else table.assign(temp=np.nan)
    sha = write_features(store, SPEC, SNAPSHOT, written)
    read = read_features(store, "arrival-delay", "ua", sha)
    pd.testing.assert_frame_equal(read, written, check_exact=True)


def test_equal_tables_are_one_object(table):
    store = MemoryStore()
    first = write_features(store, SPEC, SNAPSHOT, table)
    again = write_features(store, SPEC, SNAPSHOT, table.copy())
    assert first == again
    assert list(store.objects) == [layout.features("arrival-delay", "ua", first)]
    assert store.objects[layout.features("arrival-delay", "ua", first)].tag == "1"
    assert sha256(store.get(layout.features("arrival-delay", "ua", first)).content) == first


@pytest.mark.parametrize("column", ["temp", "label", "dest"])
def test_another_value_is_another_object(table, column):
    changed = table.copy()
    changed.loc[7, column] = "MIA" if column == "dest" else 77.0
    store = MemoryStore()
    digests = [write_features(store, SPEC, SNAPSHOT, frame) for frame in (table, changed)]
    assert len(set(digests)) == 2


def test_other_bytes_than_the_key_says_are_refused(table):
    store = MemoryStore()
    sha = write_features(store, SPEC, SNAPSHOT, table)
    store.put(layout.features("arrival-delay", "ua", sha), b"PAR1")
    with pytest.raises(StoreError, match="delete it"):
        read_features(store, "arrival-delay", "ua", sha)


def test_a_missing_table_is_named(table):
    with pytest.raises(ObjectMissingError):
        read_features(MemoryStore(), "arrival-delay", "ua", "0" * 64)
