"""What is checked of a product and of a tenant, and what is no fault."""

import pytest

from tests.unit.specs.conftest import ALONE, Specs


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("title: Churn", "title: ''", "title: is shorter than 1 characters"),
        ("title: Churn", 'title: "\\a"', "title: holds control characters; write plain text"),
        ("{column: left}", '{column: left, title: "\\e"}', "label.title: holds control characters"),
    ],
)
def test_a_fault_of_the_titles(specs: Specs, old: str, new: str, fault: str) -> None:
    specs.product(old, new)
    specs.expect("churn/product.yaml", fault)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("path: visits", "path: /t"),  # changed to SQL below: a table may have any name
        ("{column: left}", "{column: visit, above: 2}"),
        ("left: {type: boolean}", "left: {type: integer, min: 0, max: 1}"),
        ("plan: {kind: categorical}", "visit: {kind: numeric}"),
        ("plan: {kind: categorical}", "account: {kind: categorical}"),
        ("plan: {kind: categorical}", "visits: {kind: categorical, column: visit}"),
        ("plan: {kind: categorical}", "past: {kind: history, of: left, by: [plan], over: 7d}"),
        ("plan: {kind: categorical}", "busy: {kind: congestion, over: 3h}"),
        ("event_time: at", "event_time: at, known_at: {column: at}"),
        ("{delay: 30d}", "{column: at}"),
        ("logistic: {C: 0.5}", "logistic: {C: 1, solver: lbfgs, warm: true}"),
        ("start: 2024-01-01", "start: 2024-01-01T06:00:00+02:00"),
        ("title: Churn", "title: Churn\ntimezone: Europe/Berlin"),
    ],
)
def test_what_is_no_fault(specs: Specs, old: str, new: str) -> None:
    if new == "path: /t":
        old, new = "kind: parquet, path: visits", "kind: sql, path: /t"
    specs.product(old, new)
    assert specs.load().specs


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("gate: {min_rows: 5.5}", "gate.min_rows: 5.5 is not a whole number"),
        ("gate: {min_rows: lots}", "gate.min_rows: 'lots' is not a whole number"),
        (
            "gate: {min_rows: null, min_row: 5}",
            "gate.min_row: there is no such field; did you mean",
        ),
        ("gate: {confidence: 1}", "gate.confidence: 1 is not < 1"),
        ("gate: {confidence: .4}", "gate.confidence: 0.4 is not > 0.5"),
        ("gate: {min_gain: .inf}", "gate.min_gain: inf is not a finite number"),
        ("gate: 5", "gate: 5 is not a map"),
        ("gate: [5]", "gate: [5] is not a map"),
        ("features: [plan]", "features: ['plan'] is not a map"),
        ("model: {candidates: {}}", ""),
        ("model: {candidates: {pooled: null, logistic: null}}", "model.candidates: has 0 of at"),
        ("state: asleep", "state: 'asleep' is not one of 'active', 'paused' or 'retired'"),
        ("description: [a]", "description: ['a'] is not text"),
        (f"description: {'a' * 501}", "description: is longer than 500 characters"),
        ("pooling: {receive: maybe}", "pooling.receive: 'maybe' is not true or false"),
        ("gate: {holdout: 1000000d}", "gate.holdout: '1000000d' is not a duration; write a number"),
        ("gate: {holdout: 1.5h}", "gate.holdout: '1.5h' is not a duration"),
        ("gate: {holdout: 36}", "gate.holdout: '36' is not a duration"),
        ("predict: {start: soon}", "predict.start: 'soon' is not a time; write e.g. 2013-10-01"),
        ("predict: {start: 2013}", "predict.start: '2013' is not a time"),
        (
            "predict: {start: '0001-01-01T00:00:00+05:00'}",
            "predict.start: '0001-01-01T00:00:00+05:00' is not a time",
        ),
        ("timezone: ../etc/passwd", "timezone: '../etc/passwd' is no time zone; write an IANA"),
        ("timezone: Europe", "timezone: 'Europe' is no time zone"),
        ("timezone: ''", "timezone: '' is no time zone"),
        (f"timezone: {'a' * 300}", f"timezone: '{'a' * 56}… is no time zone; write an IANA name"),
        ("label: {column: visit, above: 1}", "label: differs from the product's, so the pooled"),
        (
            "contract: {columns: {plan: null}}\nfeatures: {plan: null}",
            "contract.columns: 'plan' is missing, which the pooled model reads; write `pooling",
        ),
        ("features: {plan: {kind: numeric, unit: x}}", "features.plan: is of type category"),
        ('features: {plan: {unit: "\\e"}}', "features.plan.unit: holds control characters"),
        ("contract: {columns: {plan: {type: enum}}}", "contract.columns.plan.type: 'enum' is not"),
        (
            "contract: {columns: {plan: {categories: x}}}",
            "contract.columns.plan.categories: 'x' is",
        ),
        (
            "contract: {columns: {plan: {categories: [x, 5]}}}",
            "contract.columns.plan.categories[1]: 5 is not text",
        ),
        ("pooled: {every: 1d}", "pooled.every: tenants of churn may not set it"),
        ("title: Acme", "title: there is no such field"),
    ],
)
def test_a_fault_of_a_tenant(specs: Specs, more: str, fault: str) -> None:
    specs.tenant(more + "\n")
    if not fault:
        assert specs.load().specs
        return
    (found,) = specs.faults()
    assert found.startswith(f"churn/acme.yaml: {fault}")


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("contract: {columns: {plan: null}}", "features.plan: there is no column 'plan'"),
        ("contract: {columns: {account: null}}", "key: there is no column 'account'"),
        ("contract: {columns: {account: null}}", "row_filter.pattern: there is no column 'acc"),
        ("contract: {columns: {plan: null}}", "sources.joins[0].on: there is no column 'plan'"),
        ("contract: {columns: {at: {type: text}}}", "times.event_time: 'at' is of type text"),
        ("contract: {columns: {left: {type: text}}}", "label.column: 'left' is of type text"),
        ("contract: {columns: {plan: {max: 1}}}", "contract.columns.plan: has min or max"),
        ("label: {column: minutes, above: 1}", "features.minutes: 'minutes' is what the label is"),
        ("label: {column: zzz}", "label.column: there is no column 'zzz'"),
        ('label: {title: "\\e"}', "label.title: holds control characters"),
        ("key: [zzz]", "key: there is no column 'zzz'"),
        ("times: {event_time: zzz}", "times.event_time: there is no column 'zzz'"),
        ("model: {metric: mae}", "model.metric: mae is not for classification"),
        ("model: {candidates: {logistic: null}}", "model.candidates: all need the pooled model"),
        ("gate: {holdout: 170d}", "train.history: is not longer than"),
        ("train: {history: 28d}", "train.history: is not longer than"),
        ("model: {validation: 166d}", "train.history: is not longer than"),
        ("timezone: Mars", "timezone: 'Mars' is no time zone"),
        ('description: "\\e"', "description: holds control characters"),
    ],
)
def test_what_a_tenant_changes_is_checked_with_all_that_depends_on_it(
    specs: Specs, more: str, fault: str
) -> None:
    specs.product(
        "path: visits}]",
        "path: visits}]\n  joins:\n"
        "    - {name: a, connection: lake, kind: csv, path: a, on: {plan: b}, columns: [x]}",
    )
    specs.tenant(f"{ALONE}{more}\n")
    assert any(line.startswith(f"churn/acme.yaml: {fault}") for line in specs.faults())


def test_a_tenant_that_does_not_pool_may_differ(specs: Specs) -> None:
    specs.tenant(
        "label: {column: visit, above: 1}\ncontract: {columns: {plan: null}}\n"
        "features: {plan: null}\npooling: {contribute: false, receive: false}\n"
    )
    assert specs.load().specs["acme"].label.above == 1


def test_parts_that_are_sound_are_checked_beside_those_that_are_not(specs: Specs) -> None:
    specs.product("gate: {holdout: 14d}", "gate: {holdout: x}\ntimezone: Mars/Base")
    specs.tenant("model: {metric: best}\ntimezone: Moon/Base\n")
    assert [fault.split(": ")[:2] for fault in specs.faults()] == [
        ["churn/acme.yaml", "model.metric"],
        ["churn/acme.yaml", "timezone"],
        ["churn/product.yaml", "gate.holdout"],
        ["churn/product.yaml", "timezone"],
    ]
