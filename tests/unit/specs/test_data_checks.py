"""Each row breaks the data of the small product in one place and says what the reader is told."""

import pytest

from tests.unit.specs.conftest import Specs

UNKNOWN = "in the contract; declare it in contract.columns"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
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
    ],
)
def test_a_fault_of_the_data(specs: Specs, old: str, new: str, fault: str) -> None:
    specs.product(old, new)
    specs.expect("churn/product.yaml", fault)
