"""A help desk's product, told by text, through all stages."""

import numpy as np

from tenantry.monitoring.judgements import read_judgements
from tenantry.parquet import from_parquet
from tenantry.predictions import read_receipts
from tests.fleet.tickets import AS_OF, CUSTOMERS, LATER, make_desk


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
