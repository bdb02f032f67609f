"""What is wrong with schedules, seen beside the specs that they would run."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import typer

from pipelines.parameters import ClusterParameters
from pipelines.schedules import Schedule
from tenantry.errors import Fault
from tenantry.settings import Settings
from tenantry.specs.faults import suggest
from tenantry.specs.load import Fleet, list_products, load_product
from tenantry.times import format_moment


def find_spec_faults(schedules: Sequence[Schedule], settings: Settings) -> Iterator[Fault]:
    """Yield what a plan would refuse, and tenants whom no schedule would ever run.

    What a schedule that is off selects may be nobody, for now.

    Args:
        schedules: The schedules.
        settings: Which folder of specs, and which connections.

    Raises:
        SpecError: The specs are wrong.
    """
    products = list_products(settings.specs)
    for product in sorted({one.product for one in schedules}):
        own = [one for one in schedules if one.product == product]
        if product not in products:
            remedy = suggest(product, products)
            for one in own:
                fault = f"{product!r} is no product"
                yield Fault(f"schedules.{one.name}.product", fault, remedy)
            continue
        fleet = load_product(settings.specs, product, connections=settings.connections)
        for one in own:
            yield from _parameter_faults(one, fleet)
        yield from _size_faults([one for one in own if one.enabled], fleet)


def _parameter_faults(schedule: Schedule, fleet: Fleet) -> Iterator[Fault]:
    given = dict(schedule.parameters)
    if not schedule.enabled:
        given.pop("size", None)
    for region in schedule.regions or ("",):
        parameters = ClusterParameters(product=schedule.product, region=region, **given)
        try:
            parameters.check(format_moment(datetime.now(UTC)), fleet)
        except typer.BadParameter as error:
            yield Fault(f"schedules.{schedule.name}", error.message)


def _size_faults(enabled: Sequence[Schedule], fleet: Fleet) -> Iterator[Fault]:
    covered = {str(one.parameters.get("size", "")) for one in enabled}
    if not enabled or "" in covered:
        return
    specs = {**fleet.elsewhere, **fleet.specs}
    for size in sorted({spec.resources.size for spec in specs.values()} - covered):
        names = sorted(name for name, spec in specs.items() if spec.resources.size == size)
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        fault = f"no schedule runs size {size} of {fleet.product}: {', '.join(names[:3])}{more}"
        yield Fault("schedules", fault, f"add or enable one with parameters {{size: {size}}}")
