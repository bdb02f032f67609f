import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from tenantry.fleet import read_fleet
from tenantry.ledger import Outcome
from tenantry.promises import Promise, Promises
from tenantry.report.openmetrics import NAMES, TOP, make_registry, to_text
from tests.servers.promtool import find_promtool
from tests.unit.report.made_fleet import AS_OF, PRODUCT, ROWS, RUN, make_fleet

REPORTED = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def state():
    return read_fleet(make_fleet(), RUN)


def read(state, status="SUCCEEDED"):
    """Return name and labels, product and region aside → value."""
    found = {}
    for family in text_string_to_metric_families(
        to_text(make_registry(state, status, REPORTED)).decode()
    ):
        for sample in family.samples:
            labels = dict(sample.labels)
            assert (labels.pop("product"), labels.pop("region")) == (PRODUCT, "")
            found[sample.name, *labels.values()] = sample.value
    return found


def promised(state, *, missed):
    """Give every tenant promises; of the windows of some, so many were missed."""

    def one(tenant):
        late = missed.get(tenant, 0)
        return Promises(
            predictions=Promise(total=10, missed=late, allowed=0.5, broken=late > 1),
            model=Promise(total=2160, missed=0, allowed=108, broken=False),
        )

    members = (
        replace(member, planned=member.planned.model_copy(update={"promises": one(member.tenant)}))
        for member in state.members
    )
    return replace(state, members=tuple(members))


def test_a_run_is_told_in_figures(state):
    found = read(state)
    assert found["tenantry_run_as_of_seconds",] == AS_OF.timestamp()
    assert found["tenantry_reported_seconds",] == REPORTED.timestamp()
    assert found["tenantry_run_bad",] == 1, "tenants of it failed"
    states = {key[1]: value for key, value in found.items() if key[0] == "tenantry_tenants"}
    assert sum(states.values()) == len(state.members)
    assert states["unknown"] == 2
    assert found["tenantry_due", "train"] == 16
    assert found["tenantry_models", "promoted"] == 3
    assert found["tenantry_outcomes", "train", "fell_back"] == 2
    assert found["tenantry_stage_cpu_seconds", "train"] > 0


def test_of_a_run_without_a_plan_is_told_that_it_was_reported_and_whether_it_failed(state):
    bare = replace(state, plan=None)
    found = {("tenantry_reported_seconds",): REPORTED.timestamp(), ("tenantry_run_bad",): 1}
    assert read(bare, "FAILED") == found
    assert read(bare)["tenantry_run_bad",] == 0


def test_decay_is_told_by_what_it_costs(state):
    found = read(state)
    assert found["tenantry_alarms", "decay"] == 1
    harms = {key[1]: value for key, value in found.items() if key[0] == "tenantry_harm"}
    assert list(harms) == ["vx"]
    assert harms["vx"] > 0
    assert found["tenantry_judgements", "decayed"] >= 1


def test_late_rows_are_told_beside_those_of_the_same_windows(state):
    found = read(state)
    watched = [one for one in state.members if one.fact("monitor", "rows")]
    assert found["tenantry_rows_judged",] == sum(ROWS[one.tenant] for one in watched)
    assert found["tenantry_rows_unscored",] == 2 * len(watched)


def test_a_rollback_by_a_run_is_counted(state):
    done = Outcome(stage="promote", status="done", facts={"rolled_back": True})
    first, *rest = state.members
    entry = first.entry.model_copy(update={"outcomes": (done,)})
    assert read(state)["tenantry_models", "rolled back"] == 0
    rolled = replace(state, members=(replace(first, entry=entry), *rest))
    assert read(rolled)["tenantry_models", "rolled back"] == 1


def test_promises_are_told_of_the_fleet_and_of_those_who_spent_most(state):
    found = read(promised(state, missed={"ua": 2, "aa": 1}))
    assert found["tenantry_promise_due", "predictions"] == 170
    assert found["tenantry_promise_missed", "predictions"] == 3
    assert found["tenantry_promise_budget", "predictions"] == pytest.approx(1 - 3 / 8.5)
    assert found["tenantry_promise_broken", "predictions"] == 1
    assert found["tenantry_promise_budget_of_tenant", "predictions", "ua"] == -3
    assert ("tenantry_promise_budget_of_tenant", "model", "ua") not in found


def test_series_do_not_grow_with_the_fleet(state):
    worst = {member.tenant: 1 for member in state.members}
    many = promised(state, missed=worst)
    of_tenants = [key for key in read(many) if key[0] == "tenantry_promise_budget_of_tenant"]
    assert len(of_tenants) == TOP
    assert len(read(many)) < 120


def test_every_metric_that_is_named_is_written(state):
    written = {key[0] for key in read(promised(state, missed={"ua": 1}))}
    assert written == NAMES.keys()


def test_prometheus_finds_nothing_to_complain_of(state):
    promtool = find_promtool()
    if promtool is None:
        pytest.skip("promtool is not there; `make test-servers` fetches it where apt is")
    text = to_text(make_registry(promised(state, missed={"ua": 1}), "SUCCEEDED", REPORTED))
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=text, check=False, capture_output=True
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
