"""All that is known of one tenant, from its spec and the store."""

from collections.abc import Mapping
from dataclasses import dataclass

from tenantry import layout
from tenantry.champions import Champion, read_champion
from tenantry.errors import Fault, ModelFileError, SpecError
from tenantry.members import Member
from tenantry.models.card import Card, read_card
from tenantry.monitoring.judgements import Judgement, read_judgements
from tenantry.predictions import Receipt
from tenantry.receipts import read_receipts
from tenantry.specs.faults import suggest
from tenantry.specs.load import Fleet
from tenantry.specs.model import Spec
from tenantry.standings import read_failures
from tenantry.store.contract import ObjectStore
from tenantry.times import Window


@dataclass(frozen=True)
class Dossier:
    """All that is known of a tenant.

    Attributes:
        product: The product.
        tenant: The tenant.
        spec: What declares it; None when nothing does any more.
        champion: Its reigns by time; None when no model was ever crowned.
        card: Of the champion; None without one, or when its file is gone.
        receipts: By window, in order of time.
        judgements: By window.
        failures: Runs that failed it or lost it, newest first.
    """

    product: str
    tenant: str
    spec: Spec | None
    champion: Champion | None
    card: Card | None
    receipts: Mapping[Window, Receipt]
    judgements: tuple[Judgement, ...]
    failures: tuple[tuple[str, Member], ...]


def read_dossier(store: ObjectStore, fleet: Fleet, tenant: str) -> Dossier:
    """Read all that is known of a tenant.

    Raises:
        SpecError: Neither specs nor store know it; names the nearest one.
    """
    product = fleet.product
    spec = find_tenant(store, fleet, tenant)
    champion = read_champion(store, product, tenant)
    return Dossier(
        product=product,
        tenant=tenant,
        spec=spec,
        champion=champion,
        card=_card(store, product, tenant, champion),
        receipts=read_receipts(store, product, tenant),
        judgements=read_judgements(store, product, tenant),
        failures=read_failures(store, product, tenant),
    )


def find_tenant(store: ObjectStore, fleet: Fleet, tenant: str) -> Spec | None:
    """Return what declares a tenant; None when only the store still knows it.

    Raises:
        SpecError: Neither specs nor store know it; names the nearest one.
    """
    product = fleet.product
    known = sorted({*fleet.specs, *store.list_folders(layout.product_folder(product))})
    if tenant not in known:
        fault = f"{product} has no such tenant, in neither specs nor store"
        raise SpecError([Fault(tenant, fault, suggest(tenant, known))])
    return fleet.specs.get(tenant)


def _card(store: ObjectStore, product: str, tenant: str, champion: Champion | None) -> Card | None:
    if champion is None:
        return None
    try:
        return read_card(store, product, tenant, champion.current.version)
    except ModelFileError:
        return None
