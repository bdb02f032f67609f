"""What was told of tenants, in the store: beside the judgement of the latest window."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from tenantry import layout
from tenantry.errors import ObjectMissingError
from tenantry.insights.record import Insights
from tenantry.monitoring.judgements import judged_windows
from tenantry.store.contract import ObjectStore


def read_insights(
    store: ObjectStore, product: str, tenant: str, until: datetime
) -> Insights | None:
    """Read the latest that was told of a tenant as of a moment; None when nothing was.

    Retention may have removed that of old windows.
    """
    for window in sorted(judged_windows(store, product, tenant), reverse=True):
        key = layout.insights(product, tenant, window)
        try:
            found = Insights.from_json(store.get(key).content, key)
        except ObjectMissingError:
            continue
        if found.as_of <= until:
            return found
    return None


def read_all_insights(
    store: ObjectStore, product: str, tenants: Iterable[str], until: datetime
) -> Iterator[Insights]:
    """Read the latest of several tenants; those of whom nothing was told are passed over."""
    for tenant in tenants:
        if found := read_insights(store, product, tenant, until):
            yield found
