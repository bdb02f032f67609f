"""Windows that are predicted again: by the same run, by one that races, for rows that came late."""

from dataclasses import replace
from datetime import timedelta

import pandas as pd

from tenantry.digests import sha256
from tenantry.features.tables import write_features
from tenantry.jobs import Job
from tenantry.ledger import Outcome
from tenantry.stages.predict import predict
from tenantry.store.contract import StoredObject
from tests.unit.memory_store import MemoryStore
from tests.unit.stages.tenancy import (
    WEEK,
    WINDOWS,
    Tenancy,
    in_window,
    read,
    receipts,
)
from tests.unit.tiny_fleet import AS_OF

FIRST = WINDOWS[0]
EXPLAIN_ALL = {"window": "7d", "start": "2013-09-03", "explain": {"rows": "all", "top": 2}}


def test_predicting_again_changes_no_byte(tenancy):
    predict(tenancy.predict_job(AS_OF, *WINDOWS))
    before = dict(tenancy.store.objects)
    result = predict(tenancy.predict_job(AS_OF, *WINDOWS))
    assert tenancy.store.objects == before
    assert result.facts["windows"] == 0


def test_the_same_rows_by_another_snapshots_name_are_not_predicted_again(tenancy):
    job = tenancy.predict_job(AS_OF, *WINDOWS)
    predict(job)
    first = receipts(tenancy)
    sha = write_features(tenancy.store, tenancy.spec, "5" * 64, tenancy.known(AS_OF))
    facts = {"ingest": {"snapshot": "5" * 64}, "build_features": {"features": sha}}
    outcomes = tuple(Outcome(stage=one, status="done", facts=facts[one]) for one in facts)
    again = replace(job, entry=job.entry.model_copy(update={"outcomes": outcomes}))
    assert predict(again).facts["windows"] == 0
    assert receipts(tenancy) == first


class Overtaken(MemoryStore):
    """A rival run does all its work while this one loads its model: it had found the same open."""

    rival: Job | None = None

    def get(self, key: str) -> StoredObject:
        if self.rival and key.endswith("model.skops"):
            rival, self.rival = self.rival, None
            predict(rival)
        return super().get(key)


def test_a_run_that_was_overtaken_leaves_the_rivals_predictions_as_their_receipt_says(
    tenancy: Tenancy,
) -> None:
    store = Overtaken()
    store.objects |= tenancy.store.objects
    fast = replace(tenancy, store=store)
    slow = fast.with_spec(predict=EXPLAIN_ALL)
    store.rival = fast.predict_job(AS_OF, FIRST)
    facts = predict(slow.predict_job(AS_OF, FIRST)).facts
    assert facts["explained"] == facts["rows"]
    assert facts["committed"] == 0
    receipt = receipts(slow)[FIRST]
    (file,) = receipt.files
    assert receipt.explained == 0
    assert file.sha256 == sha256(store.get(file.key).content)


def test_two_fresh_runs_write_the_same_bytes(trained):
    contents = []
    for _ in range(2):
        original, cards = trained
        tenancy = original.copy()
        tenancy.crown(cards["august"])
        predict(tenancy.predict_job(AS_OF, *WINDOWS))
        contents.append({key: one.content for key, one in tenancy.store.objects.items()})
    assert contents[0] == contents[1]


def late_rows(tenancy: Tenancy, allowed: str) -> pd.DataFrame:
    """Let the last 3 rows of the first window become known only a day after its end."""
    tenancy.spec = tenancy.with_spec(
        predict={"window": "7d", "start": "2013-09-03", "late_rows": allowed}
    ).spec
    rows = in_window(tenancy.table, FIRST).tail(3)
    tenancy.table = tenancy.table.copy()
    tenancy.table.loc[rows.index, "known_at"] = pd.Timestamp(FIRST.end + timedelta(days=1))
    return rows


def test_late_rows_make_a_new_version_of_their_window(tenancy):
    rows = late_rows(tenancy, "3d")
    predict(tenancy.predict_job(FIRST.end, FIRST))
    first = receipts(tenancy)[FIRST]
    result = predict(tenancy.predict_job(FIRST.end + timedelta(days=2), FIRST))
    second = receipts(tenancy)[FIRST]
    assert (first.late, second.late) == (0, 3)
    assert second.rows == first.rows + 3
    assert second.folder != first.folder
    assert set(rows["number"]) <= set(read(tenancy, second)["number"])
    assert "3 rows had arrived late" in result.message
    assert read(tenancy, first).shape[0] == first.rows  # the first version stays


def test_rows_that_arrive_while_no_run_looks_are_in_time_and_later_ones_counted(tenancy):
    rows = late_rows(tenancy, "1d")
    last = in_window(tenancy.table, FIRST).drop(rows.index).tail(2)
    tenancy.table.loc[last.index, "known_at"] = pd.Timestamp(FIRST.end + timedelta(days=3))
    for days in (0, 2):
        predict(tenancy.predict_job(FIRST.end + timedelta(days=days), FIRST))
    found = receipts(tenancy)
    assert found[FIRST].late == 3
    result = predict(tenancy.predict_job(FIRST.end + timedelta(days=4), FIRST))
    assert receipts(tenancy) == found
    assert result.facts["too_late"] == 2
    assert "2 rows arrived too late to be scored" in result.message


def looks(tenancy: Tenancy) -> list[str]:
    return [key for key in tenancy.store.objects if "/looked/" in key]


def test_looking_in_vain_leaves_one_small_object_and_no_receipt(tenancy):
    predict(tenancy.predict_job(FIRST.end, FIRST))
    first = receipts(tenancy)
    assert looks(tenancy) == []
    result = predict(tenancy.predict_job(FIRST.end + WEEK, FIRST))
    assert receipts(tenancy) == first
    assert looks(tenancy) == ["tenants/arrival-delay/ua/looked/20130917T000000Z.json"]
    assert result.keys == tuple(looks(tenancy))
    predict(tenancy.predict_job(FIRST.end + WEEK, FIRST))
    assert len(looks(tenancy)) == 1


def test_what_a_later_run_predicted_by_the_same_model_stands(tenancy):
    late_rows(tenancy, "3d")
    predict(tenancy.predict_job(FIRST.end + timedelta(days=2), FIRST))
    found = receipts(tenancy)
    predict(tenancy.predict_job(FIRST.end, FIRST))
    assert receipts(tenancy) == found
    assert looks(tenancy) == ["tenants/arrival-delay/ua/looked/20130910T000000Z.json"]


def test_a_backfilled_model_predicts_a_window_again_out_of_sample(trained):
    original, cards = trained
    tenancy = original.copy()
    tenancy.crown(cards["september"])
    predict(tenancy.predict_job(AS_OF, FIRST))
    tenancy.crown(cards["august"])
    predict(tenancy.predict_job(AS_OF, FIRST))
    (receipt,) = receipts(tenancy).values()
    assert (receipt.model, receipt.in_sample) == (cards["august"].version, False)
