"""Models, spans, slices and predictions that do not go together, and what the reader is told."""

import pytest

from tests.unit.specs.conftest import PRODUCT, Specs


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        # predictions
        (
            "start: 2024-01-01}",
            "start: 2024-01-01, threshold: {false_positive: 1}}",
            "predict.threshold.false_negative: is missing",
        ),
        (
            "start: 2024-01-01}",
            "start: 2024-01-01, threshold: {target_rate: 0.1, false_positive: 1}}",
            "predict.threshold.false_positive: does not go with its neighbours; remove it",
        ),
        (
            "start: 2024-01-01}",
            "start: 2024-01-01, threshold: 1.5}",
            "predict.threshold: 1.5 is not ≤ 1",
        ),
        (
            "start: 2024-01-01}",
            "start: 2024-01-01, interval: 0.9}",
            "predict.interval: is for regression; a classification has probabilities; remove it",
        ),
        # model
        (
            "validation: 14d}",
            "validation: 14d, metric: rmse}",
            "model.metric: rmse is not for classification; choose from log_loss, brier",
        ),
        (
            "{column: left}",
            "{column: visit, task: regression}\npooling: {receive: false}",
            "model.metric: log_loss is not for regression; choose from mae, rmse",
        ),
        (
            "logistic: {C: 0.5}",
            "logistics: {C: 0.5}",
            "model.candidates.logistics: there is no recipe 'logistics'; did you mean logistic?",
        ),
        (
            "logistic: {C: 0.5}",
            '"<b>": {}',
            "model.candidates: there is no recipe '<b>'; choose from blended, adapted, stacked, "
            "pooled",
        ),
        (
            "logistic: {C: 0.5}",
            'logistic: {"a b": 1, solver: "a b"}',
            "model.candidates.logistic: 'a b' is no parameter's name|"
            "model.candidates.logistic.solver: 'a b' is not a word",
        ),
        (
            "logistic: {C: 0.5}",
            "logistic: {C: [1]}",
            "model.candidates.logistic.C: [1] is not a number or a whole number or text or true or",
        ),
        (
            "logistic: {C: 0.5}}, validation: 14d}",
            "stacked: {}}, validation: 14d}\npooling: {receive: false}",
            "model.candidates: all need the pooled model, which pooling.receive refuses; "
            "add one of logistic, boosted, prior",
        ),
        (
            "gate: {holdout: 14d}",
            "gate: {holdout: 166d}",
            "train.history: is not longer than gate.holdout and model.validation together; nothing",
        ),
        (
            "gate: {holdout: 14d}",
            "gate: {holdout: 14d, slices: [paln, minutes, month, month]}",
            "gate.slices: 'minutes' is no category, hour or weekday among the features, nor month|"
            "gate.slices: 'month' is there twice; keep one of them|"
            "gate.slices: 'paln' is no category, hour or weekday among the features, nor month; "
            "did you mean plan?",
        ),
    ],
)
def test_a_fault_of_what_is_learnt_or_asked(specs: Specs, old: str, new: str, fault: str) -> None:
    specs.product(old, new)
    specs.expect("churn/product.yaml", fault)


def test_refusing_the_pooled_model_alone_is_checked_too(specs: Specs) -> None:
    specs.product("pooled: {}, logistic: {C: 0.5}", "pooled: {}")
    specs.tenant("pooling: {receive: false}\n")
    assert specs.faults()[0].startswith("churn/acme.yaml: model.candidates: all need the pooled")


def test_another_task_needs_another_metric(specs: Specs) -> None:
    specs.product("validation: 14d}", "validation: 14d, calibration: sigmoid}")
    specs.tenant("label: {column: visit, task: regression}\n")
    assert specs.faults() == [
        "churn/acme.yaml: model.calibration: is not for regression; write none",
        "churn/acme.yaml: model.metric: log_loss is not for regression; choose from mae, rmse",
    ]


CLASSES = [
    ("{column: left}", "{column: plan, task: multiclass}"),
    ("plan: {type: category}", "plan: {type: category, categories: [a, b, c]}"),
    (
        "  plan: {kind: categorical}",
        "  seen: {kind: history, of: label, statistic: count, over: 9d}",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("visit", "visit", None),
        (
            "task: multiclass}",
            "task: multiclass, above: 2}",
            "label.above: makes no sense for multiclass; remove it, or the task",
        ),
        (
            "[a, b, c]",
            "[a, b, a]",
            "contract.columns.plan.categories: names fewer than 3 classes; list all classes",
        ),
        (
            "{pooled: {}, logistic: {C: 0.5}}",
            "{stacked: {}}",
            "model.candidates.stacked: feeds one score of the pooled model, and classes",
        ),
        ("validation: 14d", "validation: 14d, metric: rmse", "model.metric: rmse is not for multi"),
        (
            "validation: 14d",
            "validation: 14d, calibration: sigmoid",
            "model.calibration: is not for multiclass; write none",
        ),
        ("statistic: count", "statistic: mean", "features.seen.of: a class has no mean; count"),
        (
            "start: 2024-01-01}",
            "start: 2024-01-01, threshold: {false_positive: 1, false_negative: 2}}",
            "predict.threshold: costs are told for yes and no; write a number, or a target_rate",
        ),
    ],
)
def test_what_classes_allow(specs: Specs, old: str, new: str, fault: str | None) -> None:
    text = PRODUCT
    for before, after in (*CLASSES, (old, new)):
        assert before in text
        text = text.replace(before, after)
    specs.write("churn/product.yaml", text)
    if fault is None:
        assert specs.load().specs["acme"].classes == ("a", "b", "c")
    else:
        (told,) = specs.faults()
        assert told.startswith(f"churn/product.yaml: {fault}")


def test_a_tenants_classes_are_the_products(specs: Specs) -> None:
    text = PRODUCT
    for before, after in CLASSES:
        text = text.replace(before, after)
    specs.write("churn/product.yaml", text)
    specs.tenant("contract: {columns: {plan: {categories: [c, b, a]}}}\n")
    (told,) = specs.faults()
    assert "contract.columns.plan.categories: differs from the product's" in told
