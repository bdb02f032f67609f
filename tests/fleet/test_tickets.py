"""A help desk's product, told by text, through all stages."""

import numpy as np
import pandas as pd

from tenantry.monitoring.judgements import read_judgements
from tenantry.parquet import from_parquet
from tenantry.receipts import read_receipts
from tests.fleet.tickets import (
    AS_OF,
    CUSTOMERS,
    LATER,
    PRODUCT,
    QUEUES,
    make_desk,
    make_tickets,
)


def read_predictions(fleet, tenant):
    receipts = read_receipts(fleet.store, "tickets", tenant).values()
    return [
        from_parquet(fleet.store.get(one.files[0].key).content) for one in receipts if one.files
    ]


def test_urgent_tickets_are_told_by_their_words(tmp_path):
    fleet = make_desk(tmp_path)
    first, second = fleet.run(AS_OF, "run-1"), fleet.run(LATER, "run-2")
    assert first.failures() == second.failures() == {}
    for tenant in CUSTOMERS:
        assert first.entries[tenant].fact("promote", "promoted")
        assert first.entries[tenant].fact("train", "log_loss") < 0.45  # 0.69 without the words
        (rows, *_) = read_predictions(fleet, tenant)
        urgent = rows[rows["decision"]]
        assert 0 < len(urgent) < len(rows)
        reasons = [max(said, key=lambda one: one["contribution"]) for said in urgent["reasons"]]
        named = [one["value"] for one in reasons if one["feature"] == "words"]
        assert len(named) > 0.9 * len(urgent)
        assert np.mean(["refund" in value or "locked" in value for value in named]) > 0.9
        judged = read_judgements(fleet.store, "tickets", tenant)
        assert any(one.status == "ok" for one in judged)
        assert not any(drift.drifted for one in judged for drift in one.drift)


CLASSES = PRODUCT.replace("title: Urgent tickets", "title: Queues of tickets").replace(
    "label: {column: urgent, title: is urgent}",
    "label: {column: queue, task: multiclass, title: belongs to}",
)


def test_queues_of_tickets_are_told_by_their_words(tmp_path):
    """Three classes that occur and one, `other`, that never does."""
    fleet = make_desk(tmp_path, CLASSES)
    first, second = fleet.run(AS_OF, "run-1"), fleet.run(LATER, "run-2")
    assert first.failures() == second.failures() == {}
    for tenant in CUSTOMERS:
        assert first.entries[tenant].fact("promote", "promoted")
        assert first.entries[tenant].fact("train", "log_loss") < 0.3  # 1.03 by base rates
        (rows, *_) = read_predictions(fleet, tenant)
        told = pd.DataFrame(rows["probabilities"].tolist())
        assert list(told.columns) == [*QUEUES, "other"]
        assert np.allclose(told.sum(axis=1), 1)
        assert told["other"].max() < 0.1
        surest = told.idxmax(axis=1)
        assert np.allclose(told.max(axis=1), rows["probability"])
        decided = rows["decision"].notna()
        assert (rows["decision"] == surest)[decided].all()
        assert ((rows["probability"] >= 0.5) == decided).all()
        truth = make_tickets().merge(rows, on=["customer", "ticket"])
        assert (truth["queue"] == truth["decision"]).mean() > 0.9
        judged = read_judgements(fleet.store, "tickets", tenant)
        qualities = [one.quality for one in judged if one.quality]
        assert qualities
        assert all(one.auc is None and one.mean_label > 0.8 for one in qualities)
        assert any(one.status == "ok" for one in judged)
