"""What each Kubeflow task calls: settings from the environment, files in, files out.

A component's body is one call of a function here; what the stages do is in `tenantry.stages`.
"""

import atexit
import gc
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tenantry import layout
from tenantry.cpu import process_seconds
from tenantry.digests import canonical_json
from tenantry.imports import limit_threads, uncollected
from tenantry.ledger import Ledger
from tenantry.log import configure_logging
from tenantry.request import PlanRequest
from tenantry.settings import Settings, load_settings
from tenantry.sources.connections import load_connections
from tenantry.specs.frozen import FLEET, read_frozen_specs
from tenantry.store.contract import ObjectStore
from tenantry.store.open import open_store
from tenantry.summaries import ledger_markdown, plan_markdown, pooled_markdown


@dataclass(frozen=True)
class Shown:
    """What a task shows in the Kubeflow UI besides its summary.

    Attributes:
        metrics: Name → number, for a Metrics artifact.
        curves: The metadata of a ClassificationMetrics artifact.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    curves: Mapping[str, Any] = field(default_factory=dict)


def _start(region: str) -> tuple[Settings, ObjectStore]:
    configure_logging()
    atexit.register(gc.freeze)  # or the interpreter looks through all that was imported, and ends
    settings = load_settings()
    return settings, open_store(settings, region)


def plan_run(product: str, request: PlanRequest, ledger_path: str, summary_path: str) -> list[str]:
    """Plan a run; see `tenantry.stages.plan.plan`.

    Returns:
        The shards' names, one iteration each.
    """
    from tenantry.plans import RunPlan
    from tenantry.specs.bundle import declared_specs
    from tenantry.specs.load import load_product
    from tenantry.stages.plan import plan

    started = process_seconds()
    settings, store = _start(request.region)
    with declared_specs(settings.specs, store) as specs:
        known = settings.connections if settings.connections.exists() else None
        fleet = load_product(specs, product, connections=known)
    folder = Path(ledger_path)
    shards = plan(request, fleet, store, folder, started=started)
    made = RunPlan.from_json((folder / "plan.json").read_bytes(), "plan.json")
    Path(summary_path).write_text(plan_markdown(made), encoding="utf-8")
    return shards


def train_pooled_run(plan_path: str, pooled_path: str, summary_path: str) -> None:
    """Train the pooled model of each zone that needs one; see `tenantry.stages.train_pooled`."""
    from tenantry.plans import RunPlan

    made = RunPlan.from_json((Path(plan_path) / "plan.json").read_bytes(), "plan.json")
    settings, store = _start(made.region)
    zones: dict[str, str] = {}
    summary = "No tenant is due for training.\n"
    if made.needs_pooled:
        limit_threads()
        with uncollected():
            from tenantry.stages.train_pooled import train_pooled

        imports, started = process_seconds(), time.process_time()
        outcome = train_pooled(
            list(read_frozen_specs(store, made.run, FLEET).values()),
            made.as_of,
            run=made.run,
            store=store,
            connections=load_connections(settings.connections, os.environ),
            code_version=settings.code_version,
            due=made.pooled,
        )
        zones, summary = outcome.zones, pooled_markdown(outcome)
        record = asdict(outcome) | {
            "cpu_seconds": round(time.process_time() - started, 2),
            "process_seconds": process_seconds(),
            "import_seconds": imports,
        }
        store.put(layout.pooled_outcome(made.run), canonical_json(record))
    Path(pooled_path).write_bytes(canonical_json(zones))
    Path(summary_path).write_text(summary, encoding="utf-8")


def run_shard(  # noqa: PLR0913, PLR0917 - a component's artifacts
    stage: str,
    ledger_path: str,
    out_path: str,
    summary_path: str,
    shard: str = "",
    pooled_path: str = "",
) -> Shown:
    """Take a shard through one stage; see `tenantry.shard.run_stage`.

    Args:
        stage: The stage.
        ledger_path: The shard's ledger; the plan's folder for the first stage.
        out_path: Where the next ledger goes.
        summary_path: Where the summary goes, Markdown.
        shard: The shard's name, for the first stage.
        pooled_path: Which pooled model each zone uses, for the first stage.
    """
    from tenantry.shard import run_stage

    started = process_seconds()
    path = Path(ledger_path) / f"{shard}.jsonl" if shard else Path(ledger_path)
    before = Ledger.from_lines(path.read_bytes(), str(path))
    settings, store = _start(before.header.region)
    pooled = json.loads(Path(pooled_path).read_bytes()) if pooled_path else None
    after = run_stage(stage, before, settings, pooled_versions=pooled, started=started)
    Path(out_path).write_bytes(after.to_lines())
    Path(summary_path).write_text(ledger_markdown(after), encoding="utf-8")
    return _shown(after, store) if stage == "promote" else Shown()


def _shown(ledger: Ledger, store: ObjectStore) -> Shown:
    from tenantry.curves import read_shard_curves, shown_curves, shown_metrics

    curves = read_shard_curves(ledger, store)
    return Shown(shown_metrics(ledger, curves), shown_curves(curves))


def check_run(run: str, max_failed_share: float, verdict_path: str, region: str = "") -> None:
    """Fail when too many tenants failed; see `tenantry.stages.check_fleet`.

    Raises:
        FleetError: More than `max_failed_share` of the run's tenants failed.
    """
    from tenantry.errors import FleetError
    from tenantry.stages.check_fleet import check_fleet

    _, store = _start(region)
    try:
        verdict = check_fleet(run, store, max_failed_share)
    except FleetError as error:
        Path(verdict_path).write_text(str(error), encoding="utf-8")
        raise
    Path(verdict_path).write_text(verdict, encoding="utf-8")


def report_run(  # noqa: PLR0913, PLR0917 - a component's arguments
    run: str, product: str, status: str, page_path: str, summary_path: str, region: str = ""
) -> dict[str, float]:
    """Make the fleet report; see `tenantry.stages.report`.

    Returns:
        Name → number, for a Metrics artifact.
    """
    from tenantry.stages.report import report

    settings, store = _start(region)
    made = report(run, status, product, store, settings, region)
    Path(page_path).write_text(made.page, encoding="utf-8")
    Path(summary_path).write_text(made.markdown, encoding="utf-8")
    return made.metrics
