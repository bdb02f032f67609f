import pandas as pd
import pytest

from tenantry.contract import CheckedRows
from tenantry.errors import ObjectMissingError, RegistryError
from tenantry.features.tables import write_features
from tenantry.inspection import inspect_window
from tenantry.quality import Quality
from tenantry.snapshots import write_snapshot
from tests.unit.memory_store import MemoryStore
from tests.unit.monitoring.watched import AS_OF, WINDOWS, predict
from tests.unit.stages.test_monitor import QUIET, TABLE, watch


@pytest.fixture
def store():
    """Two windows are predicted, of which the first was judged."""
    store = MemoryStore()
    sha = write_features(store, QUIET, "5" * 64, TABLE)
    for window in WINDOWS[:2]:
        predict(store, TABLE, window, features=sha)
    watch(store, windows=WINDOWS[:1])
    return store


def look(store, window="", *, with_page=False):
    return inspect_window(store, QUIET, window, AS_OF, with_page=with_page)


def test_the_latest_judgement_is_read_not_made_anew(store):
    before = dict(store.objects)
    found = look(store)
    assert (found.is_stored, found.judgement.span, found.page) == (True, WINDOWS[0], b"")
    assert found.judgement.run == "run-1"
    assert store.objects == before


@pytest.mark.parametrize("window", [WINDOWS[1].id, "2013-10-08", "2013-10-08T00:00:00Z"])
def test_a_window_that_no_run_judged_is_judged_now_and_not_written(store, window):
    before = dict(store.objects)
    found = look(store, window)
    assert (found.is_stored, found.judgement.span) == (False, WINDOWS[1])
    assert (found.judgement.status, found.judgement.labelled) == ("no_promise", 1008)
    assert [one.span for one in found.judgement.history] == [WINDOWS[0]]
    assert store.objects == before


@pytest.mark.parametrize("window", ["2013-10-22", WINDOWS[3].id])
def test_a_window_that_was_not_predicted_is_told_with_one_that_was(store, window):
    with pytest.raises(
        RegistryError, match=f"no window '{window}' was .* last one is {WINDOWS[1].id}"
    ):
        look(store, window)


def test_where_nothing_was_predicted_it_says_so():
    with pytest.raises(RegistryError, match="nothing was predicted so far"):
        look(MemoryStore())


def test_evidentlys_page_is_made_where_no_run_made_one(store):
    found = look(store, with_page=True)
    assert b"Effect size" in found.page
    assert found.judgement.report.startswith("no Evidently report: monitor.report is off")


def test_rows_whose_feature_table_is_gone_are_built_from_their_snapshot(store):
    rows = CheckedRows(TABLE, pd.DataFrame(), Quality(rows=len(TABLE), labelled=len(TABLE)))
    snapshot = write_snapshot(store, QUIET, rows)
    predict(store, TABLE, WINDOWS[2], features="0" * 64, snapshot=snapshot)
    assert look(store, WINDOWS[2].id).judgement.labelled == 1008


def test_rows_that_are_gone_themselves_are_told():
    store = MemoryStore()
    predict(store, TABLE, WINDOWS[2], features="0" * 64)
    with pytest.raises(ObjectMissingError):
        look(store, WINDOWS[2].id)


def test_a_window_in_sample_has_a_reason_instead_of_a_page(store):
    predict(store, TABLE, WINDOWS[3], in_sample=True)
    found = look(store, WINDOWS[3].id, with_page=True)
    assert found.page == b""
    assert found.note == "no Evidently report: the model had seen these days in training"
