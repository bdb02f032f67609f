"""Each row breaks the features of the small product and says what the reader is told."""

import pytest

from tests.unit.specs.conftest import ALONE, Specs

UNKNOWN = "in the contract; declare it in contract.columns"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "plan: {kind: categorical}",
            "plan: {kind: numeric}",
            "features.plan: is of type category, not a number; use another column or kind",
        ),
        (
            "plan: {kind: categorical}",
            "when: {kind: categorical, column: at}",
            "features.when.column: is a time, not a category; use kind: calendar",
        ),
        (
            "plan: {kind: categorical}",
            "label: {kind: missing, column: plan}",
            "features.label: is a name that we use ourselves; give it another name",
        ),
        (
            "plan: {kind: categorical}",
            "pooled_score: {kind: missing, column: plan}",
            "features.pooled_score: is a name that we use ourselves",
        ),
        (
            "plan: {kind: categorical}",
            "visit: {kind: categorical}",
            "features.visit: has the name of a key column but other values; give the feature",
        ),
        (
            "plan: {kind: categorical}",
            "visit: {kind: missing, column: plan}",
            "features.visit: has the name of a key column but other values",
        ),
        (
            "plan: {kind: categorical}",
            "gone: {kind: categorical, column: left}",
            "features.gone.column: 'left' is what the label is made of; use kind: history",
        ),
        (
            "plan: {kind: categorical}",
            "gone: {kind: congestion, by: [left], over: 1h}",
            "features.gone.by: 'left' is what the label is made of; use another column",
        ),
        (
            "plan: {kind: categorical}",
            "past: {kind: history, of: minutes, over: 7d}",
            "features.minutes: 'minutes' is known only with the label, since a history is made of "
            "it; use another column",
        ),
        (
            "plan: {kind: categorical}",
            "past: {kind: history, of: visit, over: 7d}",
            "features.past.of: 'visit' is a key column, not an outcome; use another column",
        ),
        (
            "plan: {kind: categorical}",
            "past: {kind: history, of: plan, by: [zzz], over: 7d}",
            f"features.past.by: there is no column 'zzz' {UNKNOWN}|"
            "features.past.of: is of type category, not a number; use another column or kind",
        ),
        (
            "plan: {kind: categorical}",
            "past: {kind: history, of: label, over: 0d}",
            "features.past.over: a duration of nothing; write at least 1m",
        ),
        (
            "plan: {kind: categorical}",
            "past: {kind: history, off: label, over: 7d}",
            "features.past.of: is missing|"
            "features.past.off: there is no such field; did you mean of?",
        ),
        (
            "plan: {kind: categorical}",
            "plan: {title: plan}",
            "features.plan.kind: is missing",
        ),
        (
            "plan: {kind: categorical}",
            "plan: {kind: categorical, over: 7d}",
            "features.plan.over: is no field of a categorical feature; remove it",
        ),
        (
            "plan: {kind: categorical}",
            '"a b": {kind: categorical}',
            "features.'a b': 'a b' is not a column's name; use letters, digits and '_'",
        ),
    ],
)
def test_a_fault_of_the_features(specs: Specs, old: str, new: str, fault: str) -> None:
    specs.product(old, new)
    specs.expect("churn/product.yaml", fault)


def test_no_feature_reads_when_the_label_is_known(specs: Specs) -> None:
    specs.product(
        "delay: 30d}}\nlabel: {column: left}\ncontract:\n  columns:\n",
        "column: told}}\nlabel: {column: left}\ncontract:\n  columns:\n    told: {type: time}\n",
    )
    specs.tenant("features: {untold: {kind: missing, column: told}}")
    assert specs.faults() == [
        "churn/acme.yaml: features.untold.column: 'told' is known only with the label, and tells "
        "it; use another column"
    ]


def test_a_key_that_is_a_features_name_is_checked_too(specs: Specs) -> None:
    specs.product("plan: {kind: categorical}", "plan: {kind: missing, column: at}")
    specs.tenant(f"{ALONE}key: [account, visit, plan]\n")
    assert specs.faults()[0].startswith("churn/acme.yaml: features.plan: has the name of a key")
