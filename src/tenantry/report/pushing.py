"""Pushing a run's figures to a Prometheus pushgateway, where one is set."""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, push_to_gateway, pushadd_to_gateway

from tenantry.errors import TenantryError
from tenantry.settings import Settings
from tenantry.webhooks import Parcel, find_address, send

JOB = "tenantry"


def push_metrics(
    registry: CollectorRegistry,
    settings: Settings,
    group: Mapping[str, str],
    *,
    whole: bool = True,
    first_wait: float = 0.5,
) -> str:
    """Push a run's figures in place of those of the run before; whatever happens, the run goes on.

    Args:
        registry: The figures.
        settings: Which gateway, if any.
        group: What the gateway groups by: the product, and the region where there are several.
        whole: Whether figures that are not pushed now go; else they stay as they were.
        first_wait: Before the second try, seconds.

    Returns:
        Why they could not be pushed, in a sentence; empty when they were, or no gateway is set.
    """
    if not settings.pushgateway:
        return ""
    try:
        address = find_address(settings, "TENANTRY_PUSHGATEWAY")
        push = push_to_gateway if whole else pushadd_to_gateway
        push(address, JOB, registry, grouping_key=dict(group), handler=_make_handler(first_wait))
    except TenantryError as error:
        return f"Metrics were not pushed to {settings.pushgateway}: {error}."
    return ""


def _make_handler(first_wait: float) -> Callable[..., Callable[[], None]]:
    def handle(
        *, url: str, method: str, headers: list[tuple[str, str]], data: bytes, **_: object
    ) -> Callable[[], None]:
        parcel = Parcel(url, data, dict(headers), method, to="pushgateway")
        return lambda: send(parcel, first_wait=first_wait)

    return handle
