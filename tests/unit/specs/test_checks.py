"""Each row breaks the small product in one place and says what the reader is told."""

import pytest

from tests.unit.specs.conftest import PRODUCT, Specs

UNKNOWN = "in the contract; declare it in contract.columns"


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
        # sources
        ("path: visits", "path: ''", "sources.rows[0].path: '' is no path or table"),
        ("path: visits", 'path: "a\\nb"', "sources.rows[0].path: 'a\\nb' is no path or table"),
        (
            "path: visits",
            "path: a/../../b",
            "sources.rows[0].path: 'a/../../b' leaves the connection; write it relative",
        ),
        ("path: visits", "path: /etc", "sources.rows[0].path: '/etc' leaves the connection"),
        (
            "path: visits}]",
            "path: visits}, {name: visits, connection: lake, kind: sql, path: /t}]",
            "sources: two sources are called 'visits'; rename one of them",
        ),
        (
            "path: visits}]",
            "path: visits}]\n  joins:\n"
            "    - {name: a, connection: lake, kind: csv, path: a, on: {}, columns: [x, x]}",
            "sources.joins: two joins bring 'x'; take it from one of them|"
            "sources.joins[0].on: is empty; name at least one column that must be equal",
        ),
        (
            "path: visits}]",
            "path: visits}]\n  joins:\n"
            "    - {name: a, connection: lake, kind: csv, path: a, on: {acount: b}, columns: [x]}",
            "sources.joins[0].on: there is no column 'acount' in the contract; "
            "did you mean account?",
        ),
        (
            "path: visits}]",
            "path: visits}]\n  joins:\n"
            "    - {name: a, connection: pond, kind: csv, path: a, on: {plan: b}, columns: [x]}",
            "sources.joins[0].connection: there is no connection 'pond' in connections.yaml",
        ),
        # row filter
        (
            "(?P<account>.+)",
            ".+",
            "row_filter.pattern: has no named group; write e.g. (?P<carrier>.+)",
        ),
        (
            "(?P<account>.+)",
            "(?P<zzz>.+)",
            f"row_filter.pattern: there is no column 'zzz' {UNKNOWN}",
        ),
        ("(?P<account>.+)", "(", "row_filter.pattern: is no regular expression: missing )"),
        # key and times
        ("[account, visit]", "[account, zzz]", f"key: there is no column 'zzz' {UNKNOWN}"),
        ("[account, visit]", "[visit, visit]", "key: 'visit' is there twice; keep one of them"),
        ("[account, visit]", "[]", "key: has 0 of at least 1 entries"),
        (
            "event_time: at",
            "event_time: zzz",
            f"times.event_time: there is no column 'zzz' {UNKNOWN}",
        ),
        (
            "event_time: at",
            "event_time: visit",
            "times.event_time: 'visit' is of type integer; declare its type as time",
        ),
        (
            "{delay: 30d}",
            "{lead: 30d}",
            "times.label_known_at: has lead where it needs one of column, delay",
        ),
        (
            "{delay: 30d}",
            "{delay: 30d, column: at}",
            "times.label_known_at: has column and delay where it needs one of column, delay; "
            "remove a form of the product's with `: null`",
        ),
        ("{delay: 30d}", "{}", "times.label_known_at: has nothing where it needs one of"),
        (
            "event_time: at,",
            "event_time: at, known_at: {delay: 1h},",
            "times.known_at: has delay where it needs one of column, lead",
        ),
        (
            "{delay: 30d}",
            "{column: visit}",
            "times.label_known_at.column: 'visit' is of type integer; declare its type as time",
        ),
        # contract
        (
            "plan: {type: category}",
            "plan: {type: category, min: 1}",
            "contract.columns.plan: has min or max but its type is category; remove them",
        ),
        (
            "minutes: {type: number, min: 0}",
            "minutes: {type: number, min: 2, max: 1.5}",
            "contract.columns.minutes: min 2 is above max 1.5",
        ),
        (
            "minutes: {type: number, min: 0}",
            "minutes: {type: number, categories: [a]}",
            "contract.columns.minutes.categories: is for categories but the type is number",
        ),
        (
            "plan: {type: category}",
            "plan: {type: category, categories: []}",
            "contract.columns.plan.categories: is empty or holds unprintable text; list the values",
        ),
        (
            "plan: {type: category}",
            'plan: {type: category, categories: ["\\e[1m"]}',
            "contract.columns.plan.categories: is empty or holds unprintable text",
        ),
        # label
        ("{column: left}", "{column: zzz}", f"label.column: there is no column 'zzz' {UNKNOWN}"),
        (
            "{column: left}",
            "{column: at}",
            "label.column: 'at' is of type time; a label is a number",
        ),
        (
            "{column: left}",
            "{column: minutes}",
            "features.minutes: 'minutes' is what the label is made of; use kind: history for the "
            "past, or another column|"
            "label.above: is missing, and 'minutes' is not yes or no; write the number above which",
        ),
        (
            "{column: left}",
            "{column: visit, task: regression, above: 3}",
            "label.above: makes no sense for regression; remove it, or the task|"
            "model.metric: log_loss is not for regression; choose from mae, rmse",
        ),
        ("{column: left}", '{column: left, title: "\\e"}', "label.title: holds control characters"),
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
        ("title: Churn", "title: ''", "title: is shorter than 1 characters"),
        ("title: Churn", 'title: "\\a"', "title: holds control characters; write plain text"),
        # features
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
def test_a_fault_of_the_product(specs: Specs, old: str, new: str, fault: str) -> None:
    specs.product(old, new)
    expected = [f"churn/product.yaml: {text}" for text in fault.split("|")]
    found = specs.faults()
    assert len(found) == len(expected), found
    for line, text in zip(found, expected, strict=True):
        assert line.startswith(text)


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


ALONE = "pooling: {contribute: false, receive: false}\n"
"""So that only the check in question has something to say."""


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


def test_refusing_the_pooled_model_alone_is_checked_too(specs: Specs) -> None:
    specs.product("pooled: {}, logistic: {C: 0.5}", "pooled: {}")
    specs.tenant("pooling: {receive: false}\n")
    assert specs.faults()[0].startswith("churn/acme.yaml: model.candidates: all need the pooled")


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


def test_another_task_needs_another_metric(specs: Specs) -> None:
    specs.product("validation: 14d}", "validation: 14d, calibration: sigmoid}")
    specs.tenant("label: {column: visit, task: regression}\n")
    assert specs.faults() == [
        "churn/acme.yaml: model.calibration: is not for regression; write none",
        "churn/acme.yaml: model.metric: log_loss is not for regression; choose from mae, rmse",
    ]


def test_a_key_that_is_a_features_name_is_checked_too(specs: Specs) -> None:
    specs.product("plan: {kind: categorical}", "plan: {kind: missing, column: at}")
    specs.tenant(f"{ALONE}key: [account, visit, plan]\n")
    assert specs.faults()[0].startswith("churn/acme.yaml: features.plan: has the name of a key")


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
