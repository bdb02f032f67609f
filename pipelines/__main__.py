"""Compile, run and submit the fleet pipeline."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tenantry.errors import PlanError, SpecError
from tenantry.packing import select_tenants
from tenantry.settings import load_settings
from tenantry.specs.load import load_product
from tenantry.times import format_moment, parse_moment

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)

Product = Annotated[str, typer.Option(help="The product, a folder of tenant_specs.")]
AsOf = Annotated[
    str, typer.Option(help="Logical time, e.g. 2013-10-01; nothing later is read. Empty: now.")
]
Tenants = Annotated[str, typer.Option(help="Only these tenants, commas between.")]
Partition = Annotated[str, typer.Option(help="Part i of n of the fleet, e.g. 1/4.")]
MaxShards = Annotated[int, typer.Option(min=1, help="Iterations of the loop at most.")]
Force = Annotated[bool, typer.Option("--force", help="Train every tenant, whatever its state.")]
MaxFailedShare = Annotated[
    float, typer.Option(min=0, max=1, help="Fail when a larger share of the tenants failed.")
]


@app.command("compile")
def compile_command(
    out: Annotated[Path, typer.Option(help="Folder for the compiled files.")] = Path("build"),
) -> None:
    """Write build/fleet.yaml for the Kubeflow UI, and the same as Kubernetes resources."""
    from pipelines.compiling import compile_fleet

    for path in compile_fleet(out):
        typer.echo(path)


@app.command("run")
def run_command(
    product: Product = "arrival-delay",
    as_of: AsOf = "",
    tenants: Tenants = "",
    partition: Partition = "",
    max_shards: MaxShards = 2,
    force: Force = False,
    max_failed_share: MaxFailedShare = 0.1,
    folder: Annotated[Path, typer.Option(help="Folder for artifacts and log.")] = Path("demo/runs"),
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the report's path only.")] = False,
) -> None:
    """Run the pipeline here, without a cluster: kfp.local over the store of TENANTRY_STORE."""
    from pipelines.local import run_local

    parameters = _parameters(
        product, as_of, tenants, partition, max_shards, force, max_failed_share
    )
    slot = as_of or format_moment(datetime.now(UTC))
    done = run_local(parameters, slot, folder, quiet=quiet)
    Console(stderr=True, quiet=quiet).print(f"{done.cpu_seconds:.0f} CPU-seconds; log: {done.log}")
    typer.echo(done.page)
    raise typer.Exit(0 if done.succeeded else 1)


@app.command("submit")
def submit_command(
    product: Product = "arrival-delay",
    as_of: AsOf = "",
    tenants: Tenants = "",
    partition: Partition = "",
    max_shards: MaxShards = 32,
    force: Force = False,
    max_failed_share: MaxFailedShare = 0.1,
    host: Annotated[
        str, typer.Option(envvar="KFP_HOST", help="Address of the Kubeflow Pipelines API.")
    ] = "",
    experiment: Annotated[str, typer.Option(help="Experiment of the run.")] = "tenantry",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would run.")] = False,
) -> None:
    """Start a run of the compiled pipeline on a Kubeflow cluster."""
    from pipelines.submitting import submit

    parameters = _parameters(
        product, as_of, tenants, partition, max_shards, force, max_failed_share
    )
    if dry_run:
        for name, value in parameters.items():
            typer.echo(f"{name} = {value!r}")
        return
    if not host:
        msg = "no address of the Kubeflow Pipelines API; give --host or set KFP_HOST"
        raise typer.BadParameter(msg)
    typer.echo(submit(parameters, host, experiment))


def _parameters(
    product: str,
    as_of: str,
    tenants: str,
    partition: str,
    max_shards: int,
    force: bool,
    max_failed_share: float,
) -> dict[str, Any]:
    _check(product, as_of, tenants, partition)
    return {
        "product": product,
        "as_of": as_of,
        "tenants": tenants,
        "partition": partition,
        "max_shards": max_shards,
        "force": force,
        "max_failed_share": max_failed_share,
    }


def _check(product: str, as_of: str, tenants: str, partition: str) -> None:
    """Refuse what the plan would refuse, before anything is started."""
    settings = load_settings()
    try:
        if as_of:
            parse_moment(as_of)
        fleet = load_product(settings.specs, product, connections=settings.connections)
        select_tenants(sorted(fleet.specs), tenants, partition)
    except (ValueError, SpecError, PlanError) as error:
        raise typer.BadParameter(str(error)) from None


if __name__ == "__main__":
    app(prog_name="python -m pipelines")
