"""Compile, run and submit the fleet pipeline."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipelines.parameters import ClusterParameters, FleetParameters, with_parameters
from tenantry.cli.options import Output, OutputFormat
from tenantry.cli.running import run_app
from tenantry.settings import load_settings
from tenantry.store.open import open_store
from tenantry.times import format_moment

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)


Host = Annotated[
    str, typer.Option(envvar="KFP_HOST", help="Address of the Kubeflow Pipelines API.")
]
Namespace = Annotated[
    str, typer.Option(envvar="KFP_NAMESPACE", help="Namespace, in Kubeflow's multi-user mode.")
]

Account = Annotated[
    str,
    typer.Option(
        envvar="KFP_SERVICE_ACCOUNT", help="Service account of runs. Empty: Kubeflow's default."
    ),
]


@app.command("compile")
def compile_command(
    out: Annotated[Path, typer.Option(help="Folder for the compiled files.")] = Path("build"),
    label: Annotated[
        str, typer.Option(help="Product of every run, for the pods' labels. Empty: runs choose.")
    ] = "",
) -> None:
    """Write build/fleet.yaml for the Kubeflow UI, and the same as Kubernetes resources."""
    from pipelines.cluster import read_secret_names
    from pipelines.compiling import compile_fleet

    for path in compile_fleet(out, secrets=read_secret_names(load_settings()), label=label):
        typer.echo(path)


@app.command("run")
@with_parameters(max_shards=2)
def run_command(
    parameters: FleetParameters,
    *,
    folder: Annotated[Path, typer.Option(help="Folder for artifacts and log.")] = Path("demo/runs"),
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the report's path only.")] = False,
) -> None:
    """Run the pipeline here, without a cluster: kfp.local over the store of TENANTRY_STORE."""
    from pipelines.local import run_local

    slot = parameters.as_of or format_moment(datetime.now(UTC))
    parameters.check(slot)
    done = run_local(parameters.arguments(), slot, folder, quiet=quiet)
    Console(stderr=True, quiet=quiet).print(f"{done.cpu_seconds:.0f} CPU-seconds; log: {done.log}")
    typer.echo(done.page)
    raise typer.Exit(0 if done.succeeded else 1)


@app.command("submit")
@with_parameters(ClusterParameters)
def submit_command(
    parameters: ClusterParameters,
    *,
    host: Host = "",
    namespace: Namespace = "",
    account: Account = "tenantry-runner",
    experiment: Annotated[str, typer.Option(help="Experiment of the run.")] = "tenantry",
    watch: Annotated[bool, typer.Option("--watch", help="Stay, and show how far it is.")] = False,
    stalled_after: Annotated[
        float, typer.Option(min=0, help="Minutes without progress after which a run is stalled.")
    ] = 120.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would run.")] = False,
) -> None:
    """Start a run of the compiled pipeline on a Kubeflow cluster; --watch ends as the run does."""
    from pipelines.kubeflow import Kubeflow
    from pipelines.submitting import submit
    from pipelines.watching import Patience, read_progress, watch_in_terminal

    parameters.check(parameters.as_of or format_moment(datetime.now(UTC)))
    if dry_run:
        for name, value in parameters.arguments().items():
            typer.echo(f"{name} = {value!r}")
        return
    kubeflow = Kubeflow.from_environment(_needed(host), namespace)
    started = submit(parameters.arguments(), kubeflow, experiment, account)
    typer.echo(started.page)
    if watch:
        store = open_store(load_settings(), parameters.region)
        look = partial(read_progress, kubeflow, store, started.run_id)
        patience = Patience(timedelta(minutes=stalled_after))
        ending = watch_in_terminal(look, patience, Console(stderr=True))
        typer.echo(f"{ending}: {started.page}")
        raise typer.Exit(0 if ending == "succeeded" else 1)


@app.command("sync")
def sync_command(
    *,
    schedules: Annotated[Path, typer.Option(help="The file of schedules; see docs/gitops.md.")],
    host: Host = "",
    namespace: Namespace = "",
    account: Account = "tenantry-runner",
    owner: Annotated[str, typer.Option(help="Marks what this sync may change.")] = "tenantry",
    experiment: Annotated[str, typer.Option(help="Experiment of the runs.")] = "tenantry",
    region: Annotated[
        str, typer.Option(envvar="TENANTRY_REGION", help="Only this region's runs, and its store.")
    ] = "",
    clock: Annotated[
        str,
        typer.Option(envvar="KFP_CRON_TIMEZONE", help="The controller's CRON_SCHEDULE_TIMEZONE."),
    ] = "UTC",
    secret: Annotated[
        list[str] | None,
        typer.Option(help="A variable of connections beyond those of the own file; repeatable."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what differs.")] = False,
) -> None:
    """Make Kubeflow equal to what Git declares: specs, pipeline version, recurring runs."""
    from pipelines.declaring import Declared, declared_parts
    from pipelines.kubeflow import Kubeflow
    from pipelines.syncing import preview, sync

    kubeflow = Kubeflow.from_environment(_needed(host), namespace)
    secrets = tuple(secret or ())
    declared = Declared(schedules, owner, experiment, region, clock, account, secrets)
    with declared_parts(kubeflow, load_settings(), declared) as parts:
        done = (preview if dry_run else sync)(parts, typer.echo)
    typer.echo(f"{done} {'to change' if dry_run else 'changed'}" if done else "nothing to change")


@app.command("simulate")
def simulate_command(
    tenants: Annotated[
        str, typer.Option(help="Sizes of the fleet, commas between.")
    ] = "10,100,1000,10000,100000",
    *,
    max_shards: Annotated[int, typer.Option(min=1, help="Shards of a run at most.")] = 32,
    run_tenants: Annotated[
        int, typer.Option(min=1, help="Tenants of a run at most; more are divided by partition.")
    ] = 10_000,
    parallel: Annotated[int, typer.Option(min=1, help="Shards of a run at once.")] = 8,
    workers: Annotated[int, typer.Option(min=1, help="Cores of a shard.")] = 2,
    cores: Annotated[int, typer.Option(min=1, help="Cores of the cluster.")] = 32,
    requeue: Annotated[
        float, typer.Option(min=0, help="Argo's DEFAULT_REQUEUE_TIME, seconds.")
    ] = 10.0,
    rows: Annotated[int, typer.Option(min=1, help="Labelled rows of the median tenant.")] = 1_000,
    spread: Annotated[
        float, typer.Option(min=0, max=4, help="Spread of their logarithm; 0: all are alike.")
    ] = 1.5,
    windows: Annotated[
        int, typer.Option(min=0, help="Windows predicted and judged for each tenant.")
    ] = 4,
    trains: Annotated[bool, typer.Option("--train/--no-train", help="Train each tenant.")] = True,
    page: Annotated[Path | None, typer.Option(help="Also write a page with plots here.")] = None,
    output: Output = OutputFormat.table,
) -> None:
    """Simulate runs of a fleet on a cluster: wall time, pods, CPU, and the backend's limits."""
    from pipelines.simulating import parse_sizes, show
    from tenantry.simulation.cluster import Cluster
    from tenantry.simulation.fleets import Question, Sizes, ask

    cluster = Cluster(cores, workers, parallel, requeue)
    question = Question(1, Sizes(rows, spread), windows, trains, max_shards, run_tenants)
    answers = [ask(replace(question, tenants=size), cluster) for size in parse_sizes(tenants)]
    show(answers, cluster, output, page)


def _needed(host: str) -> str:
    if not host:
        msg = "no address of the Kubeflow Pipelines API; give --host or set KFP_HOST"
        raise typer.BadParameter(msg)
    if not host.startswith(("http://", "https://")):
        msg = f"{host}: the address of the Kubeflow Pipelines API begins with http:// or https://"
        raise typer.BadParameter(msg)
    return host


if __name__ == "__main__":
    run_app(app, "python -m pipelines")
