"""Report on the whole fleet from what a run left in the store; runs whatever happened."""

from dataclasses import dataclass, replace

from tenantry import layout
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
from tenantry.store.open import explain_sharing


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


def _measure(store: ObjectStore, state: FleetState, status: str, settings: Settings | None) -> str:
    """Leave a run's figures in the store and push them; say why they could not be pushed."""
    if state.plan is None:
        return ""
    registry = make_registry(state, status)
    store.put(layout.fleet_metrics(state.run), to_text(registry))
    if settings is None:
        return ""
    return push_metrics(registry, settings, product=state.product, region=state.plan.region)


def report(
    run: str, status: str, product: str, store: ObjectStore, settings: Settings | None = None
) -> Report:
    """Report on a run: send its alerts and figures, and keep the page in the store.

    Shards that came to their ends are closed, should they have failed to do so themselves. A run in
    which nothing was due leaves nothing in the store, not even this page.

    Args:
        run: The run's id.
        status: What Kubeflow says of the run, e.g. `SUCCEEDED`, `COMPLETE`, `FAILED`.
        product: The product; used when the run left no plan.
        store: The store.
        settings: Which webhook alerts are sent to, and where metrics are pushed to, if any.
    """
    state = replace(read_fleet(store, run, product), warnings=explain_sharing(store))
    sent = send_alert(store, state, status, settings) if settings else ""
    sent = " ".join(filter(None, (sent, _measure(store, state, status, settings))))
    page = render_page(state, status, sent)
    if state.plan or not is_well(status):
        store.put(layout.fleet_report(run), page.encode())
    if state.plan:
        close_run(store, state.product, run)
    if state.plan and state.plan.needs_pooled and read_marks(store, state.product).waiting:
        complete_erasures(store, state.product, read_frozen_specs(store, run, FLEET))
    return Report(page=page, markdown=to_markdown(state, status, sent), metrics=figures(state))
