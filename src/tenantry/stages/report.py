"""Report on the whole fleet from what a run left in the store; runs whatever happened."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tenantry import layout
from tenantry.bill import make_bill, write_bill
from tenantry.cpu import process_seconds
from tenantry.digests import canonical_json
from tenantry.erasure.completion import complete_erasures
from tenantry.erasure.tombstones import read_marks
from tenantry.fleet import FleetState, read_fleet
from tenantry.openings import close_run
from tenantry.report.alerts import send_alert
from tenantry.report.openmetrics import make_registry, to_text
from tenantry.report.page import render_page
from tenantry.report.pushing import push_metrics
from tenantry.report.summary import figures, is_well, to_markdown
from tenantry.settings import Settings
from tenantry.specs.frozen import FLEET, read_frozen_specs
from tenantry.store.contract import ObjectStore
from tenantry.store.open import explain_exposure, explain_sharing


@dataclass(frozen=True)
class Report:
    """What people see of a run.

    Attributes:
        page: The fleet on one self-contained HTML page.
        markdown: The same in short.
        metrics: Name → number: `tenants`, `trained`, `promoted`, `windows`, `rows`, `judged`,
            `failed`, `unknown`, `cpu_seconds`.
    """

    page: str
    markdown: str
    metrics: dict[str, float]


def _measure(
    store: ObjectStore, state: FleetState, status: str, region: str, settings: Settings | None
) -> str:
    """Leave a run's figures in the store and push them, once; say why they were not pushed.

    Of a run that left no plan is only pushed that it was reported, and whether it failed; all else
    stays as the run before left it.
    """
    registry = make_registry(state, status, datetime.now(UTC), region)
    if is_kept := _is_kept(state, status):
        store.put(layout.fleet_metrics(state.run), to_text(registry))
    if settings is None or not settings.pushgateway or not state.product:
        return ""
    marker = layout.pushed(state.run)
    if store.find(marker):
        return f"Metrics were pushed to {settings.pushgateway} before."
    where = state.plan.region if state.plan else region
    group = {"product": state.product} | ({"region": where} if where else {})
    failed = push_metrics(registry, settings, group, whole=state.plan is not None)
    if is_kept and not failed:
        store.put(marker, canonical_json({"pushgateway": settings.pushgateway}))
    return failed


def _is_kept(state: FleetState, status: str) -> bool:
    """Whether a run leaves anything in the store: it had something to do, or failed."""
    return state.plan is not None or not is_well(status)


def report(  # noqa: PLR0913, PLR0917 - a component's arguments
    run: str,
    status: str,
    product: str,
    store: ObjectStore,
    settings: Settings | None = None,
    region: str = "",
) -> Report:
    """Report on a run: send its alerts and figures, and keep page and summary in the store.

    Shards that came to their ends are closed, should they have failed to do so themselves. A run in
    which nothing was due leaves nothing in the store, not even this page.

    Args:
        run: The run's id.
        status: What Kubeflow says of the run, e.g. `SUCCEEDED`, `COMPLETE`, `FAILED`.
        product: The product; used when the run left no plan.
        store: The store.
        settings: Which webhook alerts are sent to, and where metrics are pushed to, if any.
        region: The region that the run serves; used when it left no plan.
    """
    state = read_fleet(store, run, product)
    warnings = (*explain_sharing(store), *explain_exposure(store), *state.warnings)
    state = replace(state, warnings=warnings)
    sent = send_alert(store, state, status, settings) if settings else ""
    sent = " ".join(filter(None, (sent, _measure(store, state, status, region, settings))))
    charges = make_bill(state, reporting=process_seconds())
    page = render_page(state, status, sent, charges)
    markdown = to_markdown(state, status, sent)
    if _is_kept(state, status):
        store.put(layout.fleet_report(run), page.encode())
        store.put(layout.fleet_summary(run), markdown.encode())
    if state.plan:
        store.put(layout.bill(run), write_bill(charges).encode())
    if state.plan:
        close_run(store, state.product, run)
    if state.plan and state.plan.needs_pooled and read_marks(store, state.product).waiting:
        complete_erasures(store, state.product, read_frozen_specs(store, run, FLEET))
    return Report(page=page, markdown=markdown, metrics=figures(state))
