"""Windows as they are judged: rows, what the model learnt, and what was known before."""

from functools import cache

from tenantry.monitoring.drift import learn_reference
from tenantry.monitoring.feed import Delivery
from tenantry.monitoring.judge import judge_window
from tenantry.monitoring.measure import Evidence
from tenantry.monitoring.memory import Memory
from tests.unit.monitoring.watched import (
    AS_OF,
    MODEL,
    TRAINED,
    WINDOWS,
    make_receipt,
    make_rows,
    make_spec,
    make_table,
)

SPEC = make_spec()
MEMORY = Memory()
TABLE = make_table()
LEARNT = TABLE[TABLE["event_time"] < TRAINED]
RMSE = {"candidates": {"logistic": {}}, "validation": "28d", "metric": "rmse"}


def judge(rows=None, *, spec=SPEC, promised=0.51, learnt=LEARNT, memory=MEMORY, **changes):
    """Judge the rows; `window` is that of the receipt, `overtaken` why nothing follows."""
    rows = make_rows(TABLE, WINDOWS[0]) if rows is None else rows
    reference = learn(learnt, spec) if learnt is not LEARNT else learn_all(spec.label.task)
    receipt = make_receipt(changes.get("window", WINDOWS[0]), model=changes.get("model", MODEL))
    evidence = Evidence(
        receipt,
        rows,
        reference,
        promised,
        changes.get("overtaken", ""),
        changes.get("delivery", Delivery()),
    )
    return judge_window(spec, AS_OF, evidence, memory)


def learn(learnt, spec):
    return learn_reference(
        learnt,
        (*spec.features, "label"),
        until=TRAINED,
        length=spec.predict.window,
        task=spec.label.task,
    )


@cache
def learn_all(task):
    """Learn once from all rows before the first window."""
    return learn(LEARNT, make_spec(label={"column": "arr_delay", "task": task}, model=RMSE))


def rows_with(**columns):
    return make_rows(TABLE, WINDOWS[0]).assign(**columns)


def stream(judged, name):
    """What was judged of one stream."""
    return next(one for one in judged.drift if one.name == name)
