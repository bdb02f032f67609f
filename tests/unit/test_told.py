import pytest

from tenantry.facts import Attempt, Predicted
from tenantry.ledger import Entry, Header, Outcome
from tenantry.states import TenantRecord
from tenantry.times import Window
from tenantry.told import told_by_ledger
from tests.unit.tiny_fleet import AS_OF

HEADER = Header(run="r1", product="p", as_of=AS_OF, shard="s", stage="monitor")
WINDOW = Window.parse("20130924T000000Z-20131001T000000Z")
VERSION = f"{AS_OF:%Y%m%dT%H%M%SZ}-6899f87ec640"
RECEIPT = f"tenants/p/ua/predictions/{WINDOW.id}/{VERSION}-854dc037cef0/receipt.json"
NAME = f"{AS_OF:%Y%m%dT%H%M%SZ}-kept-{VERSION}-2"
TRAINED = {"challenger": VERSION, "rows": 70}
PROMOTED = {"recorded": NAME, "training_digest": "t"}
PREDICTED = {"windows": 1, "committed": 1, "in_sample": 0}


def entry(promoted=PROMOTED, predicted=PREDICTED, keys=(RECEIPT,)):
    outcomes = (
        Outcome(stage="train", status="done", facts=TRAINED),
        Outcome(stage="promote", status="done", facts=promoted),
        Outcome(stage="predict", status="done", facts=predicted, keys=keys),
    )
    return Entry(tenant="ua", outcomes=outcomes)


def test_a_ledger_tells_of_its_runs_decision_and_receipts():
    told = told_by_ledger(entry(), HEADER)
    assert told.attempts == {Attempt(AS_OF, VERSION, "t", rows=70, turn=2, promoted=False)}
    assert told.predicted == {WINDOW: (Predicted(AS_OF, VERSION, False),)}


def test_windows_that_are_all_in_sample_are_told_as_such():
    told = told_by_ledger(entry(predicted={**PREDICTED, "in_sample": 1}), HEADER)
    assert told.predicted == {WINDOW: (Predicted(AS_OF, VERSION, True),)}


@pytest.mark.parametrize(
    "changes",
    [
        {"committed": 0},
        {"windows": 2},
        {"windows": 2, "committed": 2, "in_sample": 1},
    ],
)
def test_receipts_that_were_there_or_differ_are_to_be_read(changes):
    assert not told_by_ledger(entry(predicted={**PREDICTED, **changes}), HEADER).predicted


@pytest.mark.parametrize(
    "promoted",
    [
        {},
        {"recorded": NAME},
        {**PROMOTED, "recorded": NAME.replace("kept", "pinned")},
        {**PROMOTED, "recorded": NAME.replace(VERSION, VERSION.replace("6", "7"))},
        {**PROMOTED, "recorded": f"20120101T000000Z-kept-{VERSION}"},
        {**PROMOTED, "recorded": "../../x"},
        {**PROMOTED, "recorded": f"20139901T000000Z-kept-{VERSION}"},
        {**PROMOTED, "recorded": f"{NAME}{'9' * 5000}"},
    ],
)
def test_a_decision_that_is_not_the_runs_own_is_to_be_read(promoted):
    assert not told_by_ledger(entry(promoted=promoted), HEADER).attempts


@pytest.mark.parametrize(
    "key",
    [
        "tenants/p/ua/predictions/x/y-z/receipt.json",
        "tenants/p/ua/predictions/receipt.json",
        f"tenants/p/dl/predictions/{WINDOW.id}/{VERSION}-8/receipt.json",
    ],
)
def test_a_worker_that_talks_nonsense_stops_nobody(key):
    assert not told_by_ledger(entry(keys=(key,)), HEADER).predicted


def test_an_empty_line_tells_nothing():
    assert told_by_ledger(Entry(tenant="ua"), HEADER) == TenantRecord("ua")
