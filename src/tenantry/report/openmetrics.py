"""A run in figures for Prometheus, as OpenMetrics text.

Few series: counts by stage, state and action, and the tenants with the most harm; never one series
a tenant and feature. A run is a snapshot, so all are gauges.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.openmetrics.exposition import generate_latest

from tenantry.fleet import FleetState
from tenantry.members import STATES, Member
from tenantry.monitoring.judgements import IN_WORDS
from tenantry.promises import Promise, sum_promises
from tenantry.report.alarms import list_alarms
from tenantry.report.summary import figures, judge_run, stage_costs

TOP = 10
"""Tenants that have a series of their own: those whose decay costs most, and those whose error
budget is spent most."""

NAMES: Mapping[str, str] = {
    "tenantry_run_as_of_seconds": "Logical time of the run, seconds since 1970.",
    "tenantry_reported_seconds": "When the run was reported, by the clock, seconds since 1970.",
    "tenantry_run_bad": "1 when the run failed or tenants of it did.",
    "tenantry_tenants": "Tenants by how the run ended for them.",
    "tenantry_due": "Tenants for which an action was due.",
    "tenantry_outcomes": "Tenants by what a stage did for them.",
    "tenantry_stage_cpu_seconds": "CPU seconds of a stage.",
    "tenantry_models": "Models that were trained, promoted or rolled back.",
    "tenantry_windows_predicted": "Windows predicted.",
    "tenantry_rows_predicted": "Rows predicted.",
    "tenantry_rows_judged": "Rows scored in the windows judged by the run.",
    "tenantry_rows_unscored": "Rows of the same windows that came too late to be scored.",
    "tenantry_judgements": "Windows judged, by their status.",
    "tenantry_actions": "Windows judged, by what is asked for.",
    "tenantry_alarms": "Alarms: tenants that decayed, fleet-wide events, shifts of single tenants.",
    "tenantry_harm": "Metric less promise over all labelled rows that decayed; the worst tenants.",
    "tenantry_promise_due": "Windows, or hours, in which a promise was to be kept.",
    "tenantry_promise_missed": "Of them, those in which it was not.",
    "tenantry_promise_budget": "Share of the fleet's error budget that is left.",
    "tenantry_promise_broken": "Tenants for which a promise is broken now.",
    "tenantry_promise_budget_of_tenant": "The same share of the tenants that have spent most.",
}
"""Every metric, and what it means."""


def make_registry(
    state: FleetState, status: str, reported: datetime, region: str = ""
) -> CollectorRegistry:
    """Put a run into figures; of one that left no plan, when it was reported and whether it failed.

    Args:
        state: The fleet as the run left it.
        status: What Kubeflow says of the run.
        reported: When it is reported, by the clock.
        region: The region of a run that left no plan.
    """
    registry = CollectorRegistry()
    plan = state.plan
    series = _Series(registry, state.product, plan.region if plan else region)
    series.set("tenantry_reported_seconds", reported.timestamp())
    series.set("tenantry_run_bad", float(judge_run(state, status).tone == "bad"))
    if plan is None:
        return registry
    series.set("tenantry_run_as_of_seconds", plan.as_of.timestamp())
    _count_work(series, state)
    _count_judgements(series, state)
    _count_promises(series, state.members)
    return registry


def to_text(registry: CollectorRegistry) -> bytes:
    """Write figures as OpenMetrics text."""
    return bytes(generate_latest(registry))  # type: ignore[no-untyped-call]


class _Series:
    """Gauges that all bear the product and the region."""

    def __init__(self, registry: CollectorRegistry, product: str, region: str) -> None:
        self._registry = registry
        self._common = {"product": product, "region": region}
        self._gauges: dict[str, Gauge] = {}

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set one series."""
        every = self._common | labels
        if name not in self._gauges:
            self._gauges[name] = Gauge(name, NAMES[name], tuple(every), registry=self._registry)
        self._gauges[name].labels(**every).set(value)

    def count(self, name: str, label: str, counts: Mapping[Any, float]) -> None:
        """Set one series a value of a label."""
        for value, number in counts.items():
            self.set(name, number, **{label: value})


def _count_work(series: _Series, state: FleetState) -> None:
    members, numbers = state.members, figures(state)
    states = Counter(member.state for member in members)
    series.count("tenantry_tenants", "state", {name: states[name] for name in STATES})
    due = Counter(due.action for member in members for due in member.due)
    series.count("tenantry_due", "action", due)
    for member_stage, number in _outcomes(members).items():
        stage, status = member_stage
        series.set("tenantry_outcomes", number, stage=stage, status=status)
    series.count("tenantry_stage_cpu_seconds", "stage", stage_costs(state))
    rolled = sum(bool(member.fact("promote", "rolled_back")) for member in members)
    models = {"trained": numbers["trained"], "promoted": numbers["promoted"], "rolled back": rolled}
    series.count("tenantry_models", "what", models)
    series.set("tenantry_windows_predicted", numbers["windows"])
    series.set("tenantry_rows_predicted", numbers["rows"])
    series.set("tenantry_rows_judged", sum(one.count("monitor", "rows") for one in members))
    series.set("tenantry_rows_unscored", sum(one.count("monitor", "too_late") for one in members))


def _outcomes(members: Iterable[Member]) -> Counter[tuple[str, str]]:
    return Counter((done.stage, done.status) for member in members for done in member.outcomes)


def _count_judgements(series: _Series, state: FleetState) -> None:
    judged = [one for member in state.members for one in member.judged]
    statuses = Counter(one.status for one in judged)
    series.count("tenantry_judgements", "status", {name: statuses[name] for name in IN_WORDS})
    series.count("tenantry_actions", "action", Counter(one.action for one in judged))
    alarms = list(list_alarms(state))
    kinds = Counter(one.kind for one in alarms)
    told = {name: kinds[name] for name in ("decay", "event", "drift")}
    series.count("tenantry_alarms", "kind", told)
    harms = {one.tenant: one.harm for one in alarms if one.kind == "decay" and one.harm is not None}
    series.count("tenantry_harm", "tenant", dict(list(harms.items())[:TOP]))


def _count_promises(series: _Series, members: Iterable[Member]) -> None:
    known = {one.tenant: one.planned.promises for one in members if one.planned.promises}
    kept: dict[str, dict[str, Promise]] = {
        "predictions": {tenant: one.predictions for tenant, one in known.items()},
        "model": {tenant: one.model for tenant, one in known.items()},
    }
    for promise, by_tenant in kept.items():
        whole = sum_promises(by_tenant.values())
        series.set("tenantry_promise_due", whole.total, promise=promise)
        series.set("tenantry_promise_missed", whole.missed, promise=promise)
        series.set("tenantry_promise_budget", whole.budget, promise=promise)
        broken = sum(one.broken for one in by_tenant.values())
        series.set("tenantry_promise_broken", broken, promise=promise)
        spent = sorted((one.budget, tenant) for tenant, one in by_tenant.items() if one.missed)
        for budget, tenant in spent[:TOP]:
            labels = {"promise": promise, "tenant": tenant}
            series.set("tenantry_promise_budget_of_tenant", budget, **labels)
