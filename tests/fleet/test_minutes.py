"""The second product that is shipped, minutes late, over the same landing zones and pipeline."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tenantry.monitoring.judgements import read_judgements
from tenantry.parquet import from_parquet
from tenantry.receipts import read_receipts
from tests.fleet.conftest import NOVEMBER, OCTOBER, SHIPPED

MINUTES = "arrival-minutes"
AIRLINES = ("f9", "vx")
MOST_LINES = 15


@pytest.fixture
def fleet(make_fleet):
    """The shipped product for some small airlines, beside the one that it extends."""
    fleet = make_fleet(only=AIRLINES)
    fleet.product = MINUTES
    folder = fleet.specs / MINUTES
    folder.mkdir()
    for name in ("product", *AIRLINES):
        shutil.copy(SHIPPED / MINUTES / f"{name}.yaml", folder)
    return fleet


def test_the_second_product_takes_few_lines():
    text = Path(SHIPPED / MINUTES / "product.yaml").read_text()
    assert len([line for line in text.splitlines() if not line.startswith("#")]) <= MOST_LINES


def test_minutes_are_learnt_promised_predicted_and_judged(fleet):
    first = fleet.run(OCTOBER, "run-1")
    assert first.failures() == {}
    assert first.entries.keys() == set(AIRLINES)
    second = fleet.run(NOVEMBER, "run-2")
    assert second.failures() == {}
    assert "root mean squared error" in second.page
    for tenant, entry in first.entries.items():
        promoted = entry.outcome("promote")
        assert promoted.facts["promoted"]
        assert "root mean squared error" in promoted.message
        assert entry.fact("train", "rmse") > 10
        for receipt in read_receipts(fleet.store, MINUTES, tenant).values():
            assert (receipt.threshold, receipt.decided) == (None, 0)
            rows = from_parquet(fleet.store.get(receipt.files[0].key).content)
            assert receipt.explained == len(rows)
            assert rows["probability"].between(-120, 300).all()
            assert rows["probability"].std() > 3
            assert (rows["low"] < rows["probability"]).all()
            assert (rows["high"] > rows["probability"]).all()
            assert receipt.interval.level == 0.9
        judged = read_judgements(fleet.store, MINUTES, tenant)
        qualities = [one.quality for one in judged if one.quality]
        assert qualities or tenant == "f9"  # a dozen flights a week
        assert all(one.metric == "rmse" and one.auc is None for one in qualities)
        assert all(one.coverage > 0.75 for one in qualities)  # 0.9 where days are alike
        assert all(one.promised and np.isfinite(one.realised) for one in qualities)
