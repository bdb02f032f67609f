"""What the store holds of a tenant as of a time: all that the planner needs to know."""

from dataclasses import dataclass, field
from datetime import datetime

from tenantry import layout
from tenantry.champions import Champion, read_champion
from tenantry.events import Event, last_decision, retired_at
from tenantry.models.card import read_card
from tenantry.monitoring.judgements import Judgement, judged_windows, read_judgements
from tenantry.predictions import list_predicted
from tenantry.store.contract import ObjectStore
from tenantry.times import Window


@dataclass(frozen=True)
class TenantState:
    """A tenant's state in the store.

    Attributes:
        champion: Its reigns by time, or None.
        attempt: The gate's last decision: the last training attempt that was brought to an end.
        rows: Labelled rows of that attempt, the measure of the tenant's cost; None when unknown.
        predicted: Window → versions of the models that predicted it.
        judged: The windows judged.
        judgements: Judgements made since the last attempt.
        interrupted: Whether it took its worker or shard down, or was in one that went down.
        retired: Whether it was archived and not trained since.
    """

    champion: Champion | None = None
    attempt: Event | None = None
    rows: int | None = None
    predicted: dict[Window, frozenset[str]] = field(default_factory=dict)
    judged: frozenset[Window] = frozenset()
    judgements: tuple[Judgement, ...] = ()
    interrupted: bool = False
    retired: bool = False


def read_state(store: ObjectStore, product: str, tenant: str, as_of: datetime) -> TenantState:
    """Read a tenant's state as of `as_of`: attempts and judgements of later runs do not count."""
    attempt = last_decision(store, product, tenant, until=as_of)
    since = attempt.as_of if attempt else None
    predicted: dict[Window, frozenset[str]] = {}
    for name in list_predicted(store, product, tenant):
        predicted[name.span] = predicted.get(name.span, frozenset()) | {name.model}
    judgements = read_judgements(store, product, tenant, since)
    retired = retired_at(store, product, tenant, until=as_of)
    return TenantState(
        champion=read_champion(store, product, tenant),
        attempt=attempt,
        rows=read_card(store, product, tenant, attempt.version).rows if attempt else None,
        predicted=predicted,
        judged=judged_windows(store, product, tenant),
        judgements=tuple(one for one in judgements if one.as_of <= as_of),
        interrupted=store.find(layout.attempt(product, tenant)) is not None,
        retired=retired is not None and (since is None or retired >= since),
    )
