from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score, roc_curve

from tenantry.appraisal import appraise
from tenantry.curves import (
    curves_key,
    read_curves,
    read_shard_curves,
    shown_curves,
    shown_metrics,
)
from tenantry.ledger import Entry, Header, Ledger, Outcome
from tenantry.metrics import confusion, reliability, roc_points
from tenantry.models.fitted import FittedModel
from tests.unit.memory_store import MemoryStore
from tests.unit.models.pipelines import fitted
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table

RANDOM = np.random.default_rng(0)
LABEL = (RANDOM.random(500) < 0.3).astype(float)
PREDICTED = np.clip(0.3 + 0.2 * (LABEL - 0.3) + 0.1 * RANDOM.normal(size=500), 0.01, 0.99)
TABLE = make_table(rows=300)
MODEL = FittedModel("logistic", "classification", "own", own=fitted("logistic", TABLE))
VERSION = "20131001T000000Z-aaaaaaaaaaaa"


def make(truth=LABEL, predicted=PREDICTED, threshold=0.5, **changes):
    return appraise(
        VERSION,
        MODEL,
        label=truth,
        predicted=predicted,
        table=TABLE,
        spec=make_spec(**changes),
        threshold=threshold,
    )


def test_roc_points_lie_on_the_curve_and_include_both_ends():
    points = roc_points(LABEL, PREDICTED)
    false, true, thresholds = roc_curve(LABEL, PREDICTED, drop_intermediate=False)
    theirs = dict(zip(thresholds, zip(false, true, strict=True), strict=True))
    assert len(points) == 50
    assert points[0] == (1.0, 0.0, 0.0)
    assert points[-1][1:] == (1.0, 1.0)
    assert all(theirs[at] == pytest.approx((fpr, tpr)) for at, fpr, tpr in points[1:])


def test_roc_of_a_constant_has_its_two_ends():
    constant = np.full(10, 0.3)
    assert roc_points((np.arange(10) % 2).astype(float), constant) == [(1, 0, 0), (0.3, 1, 1)]


def test_reliability_bins_hold_equal_numbers_of_rows():
    bins = reliability(LABEL, PREDICTED)
    assert [rows for _, _, rows in bins] == [50] * 10
    assert [said for said, _, _ in bins] == sorted(said for said, _, _ in bins)
    assert sum(was * rows for _, was, rows in bins) == pytest.approx(LABEL.sum())
    assert len(reliability(LABEL[:3], PREDICTED[:3])) == 3


def test_confusion_counts_every_row_once():
    label, predicted = np.array([0, 0, 1, 1, 1.0]), np.array([0.1, 0.5, 0.4, 0.5, 0.9])
    assert confusion(label, predicted, 0.5) == (1, 1, 1, 2)


def test_an_appraisal_holds_quality_and_drivers():
    curves = make()
    assert curves.auc == pytest.approx(roc_auc_score(LABEL, PREDICTED))
    assert curves.rows == 500
    assert curves.confusion.threshold == 0.5
    assert {driver.feature for driver in curves.drivers[:3]} == {"wind", "dest", "hour"}
    assert len(curves.roc) == 50


@pytest.mark.parametrize(
    ("label", "predicted"),
    [
        pytest.param(np.zeros(0), np.zeros(0), id="no rows"),
        pytest.param(LABEL, np.full(500, np.nan), id="no such model before the holdout"),
    ],
)
def test_without_a_holdout_there_are_drivers_only(label, predicted):
    curves = make(label, predicted)
    assert (curves.rows, curves.score, curves.roc, curves.confusion) == (len(label), None, (), None)
    assert curves.drivers


def test_one_class_has_no_roc_curve():
    curves = make(np.zeros(500))
    assert (curves.auc, curves.roc) == (None, ())
    assert curves.confusion is not None


def test_regression_has_neither_roc_nor_confusion():
    curves = make(
        10 * LABEL,
        10 * PREDICTED,
        None,
        label={"column": "arr_delay", "task": "regression"},
        model={"metric": "mae"},
    )
    assert (curves.auc, curves.confusion) == (None, None)
    assert curves.metric == "mae"
    assert len(curves.reliability) == 10
    residuals = 10 * (LABEL - PREDICTED)
    assert curves.residuals.quantiles == pytest.approx(
        np.quantile(residuals, curves.residuals.shares)
    )
    assert curves.scores["r2"] == pytest.approx(r2_score(10 * LABEL, 10 * PREDICTED))
    assert curves.scores["mae"] == pytest.approx(np.abs(residuals).mean())
    assert make().residuals is None


def test_no_drivers_when_no_reasons_are_asked_for():
    window = {"window": "7d", "start": "2013-09-03"}
    assert make(predict=window | {"explain": {"rows": "none"}}).drivers == ()
    assert make(predict=window | {"explain": {"top": 0}}).drivers == ()


# --- what Kubeflow shows --------------------------------------------------------------------------


def ledger(**facts: dict[str, dict[str, object]]) -> Ledger:
    entries = tuple(
        Entry(
            tenant=tenant,
            outcomes=tuple(
                Outcome(stage=stage, status="done", facts=found) for stage, found in stages.items()
            ),
        )
        for tenant, stages in facts.items()
    )
    return Ledger(
        header=Header(run="r", product="arrival-delay", as_of=AS_OF, shard="s"), entries=entries
    )


def test_metrics_shown_are_the_gates_numbers():
    shown = shown_metrics(
        ledger(
            ua={"promote": {"promoted": True, "challenger_score": 0.45123, "gain": 0.01}},
            oo={"promote": {"promoted": False, "rows": 3}},
            ha={"train": {"challenger": VERSION}},
        )
    )
    assert shown == {"ua: challenger score": 0.4512, "ua: gain": 0.01, "promoted": 1.0}


def test_kubeflow_is_shown_the_mean_of_each_metric():
    both = [make(), make(1 - LABEL)]
    shown = shown_metrics(ledger(), both)
    for name, title in (("log_loss", "log loss"), ("roc_auc", "roc auc")):
        mean = sum(one.scores[name] for one in both) / 2
        assert shown[f"mean {title}"] == pytest.approx(mean, abs=1e-4)


def test_curves_shown_are_the_mean_of_the_shards():
    store = MemoryStore()
    for tenant, curves in (("ua", make()), ("oo", make(1 - LABEL, 1 - PREDICTED))):
        store.put(curves_key("arrival-delay", tenant, VERSION), curves.to_json())
    found = {"train": {"challenger": VERSION}}
    read = read_shard_curves(ledger(ua=found, oo=found, ha=found, b6={}), store)
    assert len(read) == 2
    shown = shown_curves(read)
    points = shown["confidenceMetrics"]
    assert len(points) == 50
    ends = [(at["falsePositiveRate"], at["recall"]) for at in (points[0], points[-1])]
    assert ends == [(0, 0), (1, 1)]
    assert all(before["recall"] <= after["recall"] for before, after in pairwise(points))
    rows = [cell for row in shown["confusionMatrix"]["rows"] for cell in row["row"]]
    assert sum(rows) == 1000
    assert shown["confusionMatrix"]["annotationSpecs"] == [
        {"displayName": "no"},
        {"displayName": "yes"},
    ]


def test_nothing_is_shown_without_curves():
    assert read_shard_curves(ledger(ua={"train": {"challenger": VERSION}}), MemoryStore()) == []
    assert shown_curves([]) == {}
    assert read_curves(MemoryStore(), "arrival-delay", "ua", VERSION) is None
