"""``tenantry stage``: one stage of a run, for schedulers that have no Kubeflow.

What a stage hands to the next lies in the store; a scheduler passes on names only. Each command
prints one line of JSON.
"""

import json
import re
import tempfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tenantry import layout
from tenantry.cli.options import ProductName, RegionName
from tenantry.digests import canonical_json
from tenantry.errors import Fault, ObjectMissingError, PlanError
from tenantry.ledger import STAGES
from tenantry.plans import read_plan
from tenantry.request import PlanRequest
from tenantry.settings import load_settings
from tenantry.stages.plan import NOTHING_DUE
from tenantry.store.contract import ObjectStore
from tenantry.store.open import open_store
from tenantry.tasks import check_run, plan_run, report_run, run_shard, train_pooled_run
from tenantry.times import parse_moment

stage = typer.Typer(
    help="Take a run through one stage, where Airflow or another scheduler drives it.",
    no_args_is_help=True,
)
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
ShardStage = StrEnum("ShardStage", {name: name for name in STAGES})  # type: ignore[misc]
Run = Annotated[str, typer.Option("--run", help="The run's id; names all that it leaves.")]


@stage.command()
def plan(
    product: ProductName,
    run: Run,
    as_of: Annotated[str, typer.Option("--as-of", help="Logical time of the run.")],
    region: RegionName = "",
    tenants: Annotated[str, typer.Option(help="Only these tenants, commas between.")] = "",
    partition: Annotated[str, typer.Option(help="Part i of n of the fleet, e.g. 1/4.")] = "",
    size: Annotated[str, typer.Option(help="Only tenants of this resources.size.")] = "",
    max_shards: Annotated[int, typer.Option(min=1, help="Shards at most.")] = 32,
    force: Annotated[bool, typer.Option("--force", help="Train every tenant.")] = False,
    cpu_budget: Annotated[float, typer.Option(min=0, help="CPU-seconds at most; 0: any.")] = 0.0,
) -> None:
    """Plan a run; print its id and its shards, none when nothing is due."""
    request = PlanRequest(
        run=_checked(run),
        as_of=parse_moment(as_of),
        region=region,
        tenants=tenants,
        partition=partition,
        size=size,
        max_shards=max_shards,
        force=force,
        cpu_budget=cpu_budget,
    )
    with tempfile.TemporaryDirectory() as folder:
        shards = plan_run(product, request, f"{folder}/plan", f"{folder}/plan.md")
    _print({"run": run, "shards": [name for name in shards if name != NOTHING_DUE]})


@stage.command("train-pooled")
def train_pooled(run: Run, region: RegionName = "") -> None:
    """Train the pooled models that a planned run needs; print which version each zone uses."""
    store = open_store(load_settings(), region)
    if made := read_plan(store, _checked(run)):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "plan.json").write_bytes(made.to_json())
            train_pooled_run(folder, f"{folder}/pooled", f"{folder}/pooled.md")
    _print({"run": run, "zones": _read_zones(store, run)})


@stage.command("run")
def run_one(
    name: Annotated[ShardStage, typer.Argument(metavar="STAGE", help=", ".join(STAGES))],
    run: Run,
    shard: Annotated[str, typer.Option("--shard", help="One of the plan's shards.")],
    region: RegionName = "",
) -> None:
    """Take a shard through a stage, from the ledger that the stage before left in the store."""
    store = open_store(load_settings(), region)
    made = read_plan(store, _checked(run))
    if made is None or shard not in made.shards:
        raise PlanError([Fault(f"{run}/{shard}", "no plan in the store has this shard")])
    before = ("plan", *STAGES)[STAGES.index(name)]
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger"
        ledger.write_bytes(store.get(layout.ledger(run, shard, before)).content)
        zones = Path(folder) / "pooled"
        zones.write_bytes(canonical_json(_read_zones(store, run)))
        pooled = str(zones) if before == "plan" else ""
        out = str(Path(folder) / "after")
        run_shard(name, str(ledger), out, f"{out}.md", pooled_path=pooled)
    _print({"run": run, "shard": shard, "stage": str(name)})


@stage.command()
def check(
    run: Run,
    region: RegionName = "",
    max_failed_share: Annotated[
        float, typer.Option(min=0, max=1, help="Fail when a larger share of the tenants failed.")
    ] = 0.1,
) -> None:
    """Fail when too many of a run's tenants failed, and name them."""
    with tempfile.TemporaryDirectory() as folder:
        verdict = Path(folder) / "verdict.md"
        check_run(_checked(run), max_failed_share, str(verdict), region)
        _print({"run": run, "verdict": verdict.read_text(encoding="utf-8")})


@stage.command()
def report(
    product: ProductName,
    run: Run,
    region: RegionName = "",
    status: Annotated[
        str, typer.Option(help="How the scheduler says the run went: SUCCEEDED or FAILED.")
    ] = "SUCCEEDED",
) -> None:
    """Report on a run, however it went; print its figures."""
    with tempfile.TemporaryDirectory() as folder:
        page, summary = f"{folder}/page.html", f"{folder}/report.md"
        _print(report_run(_checked(run), product, status, page, summary, region))


def _read_zones(store: ObjectStore, run: str) -> dict[str, str]:
    """Return which version of the pooled model each zone uses in a run."""
    try:
        content = store.get(layout.pooled_outcome(run)).content
    except ObjectMissingError:
        return {}
    return dict(json.loads(content)["zones"])


def _checked(run: str) -> str:
    """Return a run's id that can be a part of a key.

    Raises:
        PlanError: It cannot.
    """
    if not _RUN.fullmatch(run):
        fault = f"{run!r} is no run's id"
        raise PlanError([Fault("run", fault, "letters, digits, - and _, at most 100")])
    return run


def _print(facts: Mapping[str, object]) -> None:
    typer.echo(json.dumps(facts, ensure_ascii=False))
