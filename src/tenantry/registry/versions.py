"""Find the champion, reign and files that an order is about; refuse what is not there."""

from collections.abc import Collection, Iterable
from datetime import datetime
from difflib import get_close_matches

from tenantry import layout
from tenantry.champions import Champion, Reign
from tenantry.crowning import Seen, see_champion
from tenantry.digests import sha256
from tenantry.erasure.tombstones import is_erased
from tenantry.errors import Fault, ModelFileError, NothingToDoError, RegistryError
from tenantry.models.card import PooledPart, read_card, read_object
from tenantry.states import TenantRecord
from tenantry.store.contract import ObjectStore

_LISTED = 6
"""Names that a fault lists where none is near."""


def require_champion(store: ObjectStore, product: str, tenant: str) -> Champion:
    """Read the champion of a tenant that must have one.

    Raises:
        RegistryError: The tenant is unknown (names the nearest one), was erased or has no model.
    """
    return require_seen(store, product, tenant).champion


def require_seen(
    store: ObjectStore, product: str, tenant: str, erased: Collection[str] | None = None
) -> Seen:
    """Read the champion of a tenant that must have one, to move it.

    Args:
        store: The store.
        product: The product.
        tenant: The tenant.
        erased: The product's erased tenants, where they are known; else the store is asked.

    Raises:
        RegistryError: The tenant is unknown (names the nearest one), was erased or has no model, or
            its pointer cannot be read.
    """
    if is_erased(store, product, tenant) if erased is None else tenant in erased:
        raise RegistryError([Fault(f"{product}/{tenant}", "was erased", "nothing is left of it")])
    try:
        seen = see_champion(store, product, tenant)
    except ValueError as error:
        fault = Fault(f"{product}/{tenant}", str(error), "restore it from a backup")
        raise RegistryError([fault]) from None
    if seen is not None:
        return seen
    tenants = list_tenants(store, product)
    if tenant in tenants:
        fault = Fault(f"{product}/{tenant}", "no model ever reigned", "train it first")
        raise NothingToDoError([fault])
    words = f"the store holds no such tenant of {product}"
    raise RegistryError([Fault(tenant, words, _near(tenant, tenants))])


def list_tenants(store: ObjectStore, product: str) -> tuple[str, ...]:
    """Return the tenants of a product that the store holds, by name.

    Raises:
        RegistryError: It holds no such product; names the nearest one.
    """
    tenants = tuple(sorted(store.list_folders(layout.product_folder(product))))
    if not tenants:
        products = sorted(store.list_folders("tenants/"))
        fault = Fault(product, "the store holds no such product", _near(product, products))
        raise RegistryError([fault])
    return tenants


def find_reign(
    store: ObjectStore, product: str, tenant: str, *, champion: Champion, version: str
) -> Reign:
    """Return the reign by which a version was crowned, the last one when it was more than once.

    Raises:
        RegistryError: It never reigned: unknown (names the nearest one), or kept back by the gate.
    """
    crowned = [one for one in champion.reigns if one.version == version and one.restores is None]
    if crowned:
        return crowned[-1]
    place, reigned = f"{product}/{tenant}", sorted({one.version for one in champion.reigns})
    made = set(store.list_folders(layout.models_folder(product, tenant)))
    if version in made:
        fault = Fault(place, f"{version} never reigned: the gate kept it back", "train again")
    else:
        fault = Fault(place, f"there is no version {version}", _near(version, reigned))
    raise RegistryError([fault])


def require_version(store: ObjectStore, product: str, tenant: str, version: str) -> None:
    """Check that a model was made, whether it ever reigned or not.

    Raises:
        RegistryError: There is none of that version; names the nearest one.
    """
    made = sorted(store.list_folders(layout.models_folder(product, tenant)))
    if version not in made:
        fault = f"there is no version {version}"
        raise RegistryError([Fault(f"{product}/{tenant}", fault, _near(version, made))])


class FileCheck:
    """Checks that models can still be loaded: their files are there, with the digests on record.

    Safe for threads; a pooled model that many tenants stand on is read once.
    """

    def __init__(self, store: ObjectStore, product: str) -> None:
        self._store = store
        self._product = product
        self._sound: set[PooledPart] = set()

    def check(self, tenant: str, reign: Reign) -> None:
        """Check the card and the file of a reign's model, and the pooled model it stands on.

        Raises:
            RegistryError: A file is missing, or is not the one that was crowned.
        """
        try:
            self._check(tenant, reign)
        except ModelFileError as error:
            place = f"{self._product}/{tenant}"
            fault = Fault(place, f"{reign.version} cannot be restored: {error}")
            raise RegistryError([fault]) from None

    def _check(self, tenant: str, reign: Reign) -> None:
        folder = layout.model_folder(self._product, tenant, reign.version)
        card = read_card(self._store, self._product, tenant, reign.version)
        if (card.version, card.file_digest) != (reign.version, reign.digest):
            msg = f"{folder}card.json: is not the card of the model that was crowned"
            raise ModelFileError(msg)
        self._check_digest(f"{folder}model.skops", reign.digest)
        if reign.packed:
            self._check_digest(f"{folder}packed.bin", reign.packed)
        part = card.pooled
        if part is not None and part not in self._sound:
            pooled = layout.pooled_folder(self._product, part.zone, part.version)
            self._check_digest(f"{pooled}model.skops", part.digest)
            self._sound.add(part)

    def _check_digest(self, key: str, digest: str) -> None:
        if sha256(read_object(self._store, key)) != digest:
            msg = f"{key}: not the file that was written (digest); restore it"
            raise ModelFileError(msg)


def last_moment(record: TenantRecord) -> datetime | None:
    """Return the latest logical time at which anything was done for a tenant, or None.

    An order that is given without a logical time holds from then on: for every run that repeats
    this moment or is later, and for none whose past it would change.
    """
    predicted = (one.as_of for found in record.predicted.values() for one in found)
    alarms = (one.as_of for one in record.alarms)
    failures = (one.as_of for one in record.failures)
    reigns = (one.since for one in (record.champion.reigns if record.champion else ()))
    attempts = (one.as_of for one in record.attempts)
    moments = (*predicted, *alarms, *failures, *reigns, *attempts, *record.looked)
    return max(moments, default=None)


def _near(name: str, names: Iterable[str]) -> str:
    known = tuple(names)
    close = get_close_matches(name, known, n=3)
    if close:
        return f"did you mean {' or '.join(close)}?"
    listed = ", ".join(known[:_LISTED]) + (", …" if len(known) > _LISTED else "")
    return f"there are {listed}" if known else "run the fleet first"
