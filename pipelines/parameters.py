"""The pipeline's parameters as options of the command line, in one object."""

import inspect
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields, replace
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from tenantry.errors import PlanError, SettingsError, SpecError
from tenantry.packing import select_served
from tenantry.request import PlanRequest
from tenantry.settings import load_settings
from tenantry.specs.load import Fleet, load_product
from tenantry.times import parse_moment

_QUANTITY = re.compile(r"\d+(\.\d+)?([KMGTP]i?|[km])?")


@dataclass(frozen=True)
class FleetParameters:
    """What a run of the fleet pipeline is started with; see `pipelines.fleet`."""

    product: Annotated[str, typer.Option(help="The product, a folder of tenant_specs.")] = (
        "arrival-delay"
    )
    region: Annotated[
        str, typer.Option(help="Home region; empty where there is no regions.yaml, or one region.")
    ] = ""
    as_of: Annotated[
        str, typer.Option(help="Logical time, e.g. 2013-10-01; nothing later is read. Empty: now.")
    ] = ""
    tenants: Annotated[str, typer.Option(help="Only these tenants, commas between.")] = ""
    partition: Annotated[str, typer.Option(help="Part i of n of the fleet, e.g. 1/4.")] = ""
    size: Annotated[str, typer.Option(help="Only tenants of this resources.size. Empty: all.")] = ""
    max_shards: Annotated[int, typer.Option(min=1, help="Iterations of the loop at most.")] = 32
    force: Annotated[
        bool, typer.Option("--force", help="Train every tenant, whatever its state.")
    ] = False
    cpu_budget: Annotated[
        float, typer.Option(min=0, help="CPU-seconds at most, as estimated. 0: all it takes.")
    ] = 0.0
    backfill_from: Annotated[
        str, typer.Option(help="Also predict past windows that begin then or later.")
    ] = ""
    backfill_to: Annotated[
        str, typer.Option(help="… and before this. Empty: the logical time.")
    ] = ""
    backfill_model: Annotated[
        str, typer.Option(help="By the model that reigned `then`, or the `current` champion.")
    ] = "then"
    max_failed_share: Annotated[
        float, typer.Option(min=0, max=1, help="Fail when a larger share of the tenants failed.")
    ] = 0.1

    def arguments(self) -> dict[str, Any]:
        """Return the pipeline's arguments, by name."""
        return asdict(self)

    def check(self, now: str, fleet: Fleet | None = None) -> None:
        """Refuse what the plan would refuse, before anything is started.

        Args:
            now: The logical time where `as_of` is empty.
            fleet: The product; None: it is loaded.

        Raises:
            typer.BadParameter: All that is wrong.
        """
        if not 0 <= self.max_failed_share <= 1:
            raise typer.BadParameter("max_failed_share: is not between 0 and 1")
        own = {field.name: getattr(self, field.name) for field in fields(PlanRequest)[2:]}
        try:
            request = PlanRequest("check", parse_moment(self.as_of or now), **own)
            request.check()
            if fleet is None:
                settings = load_settings()
                fleet = load_product(settings.specs, self.product, connections=settings.connections)
            select_served(fleet.serving(self.region), request)
        except (ValueError, SpecError, SettingsError, PlanError) as error:
            raise typer.BadParameter(str(error)) from None


@dataclass(frozen=True)
class ClusterParameters(FleetParameters):
    """The same, and what only a cluster heeds."""

    cpu_request: Annotated[
        str, typer.Option(help="CPU that each shard and the pooled model are promised.")
    ] = "1"
    cpu_limit: Annotated[
        str, typer.Option(help="CPU that they may use: as many worker processes.")
    ] = "2"
    memory_request: Annotated[str, typer.Option(help="Memory that they are promised.")] = "4Gi"
    memory_limit: Annotated[
        str, typer.Option(help="Memory past which their pod is killed: see docs/operations.md.")
    ] = "9Gi"

    def check(self, now: str, fleet: Fleet | None = None) -> None:
        """Refuse what the plan or the cluster would refuse, before anything is started.

        Args:
            now: The logical time where `as_of` is empty.
            fleet: The product; None: it is loaded.

        Raises:
            typer.BadParameter: All that is wrong.
        """
        for name in ("cpu_request", "cpu_limit", "memory_request", "memory_limit"):
            if not _QUANTITY.fullmatch(value := getattr(self, name)):
                msg = f"{name}: {value!r} is no quantity of Kubernetes; write e.g. 500m or 4Gi"
                raise typer.BadParameter(msg)
        super().check(now, fleet)


def with_parameters(
    kind: type[FleetParameters] = FleetParameters, **defaults: object
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of `kind`; it gets them as `parameters`.

    Args:
        kind: Which parameters.
        defaults: Defaults that are the command's own.
    """
    names = [field.name for field in fields(kind)]
    usual = asdict(replace(kind(), **defaults))  # type: ignore[arg-type]
    hints = get_type_hints(kind, include_extras=True)

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def called(**given: object) -> None:
            parameters = kind(**{name: given.pop(name) for name in names})  # type: ignore[arg-type]
            command(parameters, **given)

        keyword = inspect.Parameter.KEYWORD_ONLY
        shared = [
            inspect.Parameter(name, keyword, default=usual[name], annotation=hints[name])
            for name in names
        ]
        _, *own = inspect.signature(command).parameters.values()
        called.__signature__ = inspect.Signature([*shared, *own])  # type: ignore[attr-defined]
        return called

    return decorate
