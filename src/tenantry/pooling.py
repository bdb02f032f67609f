"""When the pooled model of a residency zone is due, and whether the one there is may be used.

Imports no pandas: the planner says it, and `train_pooled` goes by it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tenantry import layout
from tenantry.digests import digest
from tenantry.errors import ModelFileError
from tenantry.models.card import read_pooled_card
from tenantry.models.pooled import PooledReign, read_pooled
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.times import format_duration


@dataclass(frozen=True)
class Zone:
    """The tenants of a product in a residency zone, as of a time.

    Attributes:
        name: The zone's.
        specs: All its tenants', those that do not contribute included.
        as_of: The run's logical time.
    """

    name: str
    specs: tuple[Spec, ...]
    as_of: datetime

    @property
    def product(self) -> str:
        """The product."""
        return self.specs[0].product

    @property
    def contributing(self) -> tuple[Spec, ...]:
        """Whose rows the next model is trained on, by name."""
        allowed = self.allowed
        active = (s for s in self.specs if s.tenant in allowed and s.state == "active")
        return tuple(sorted(active, key=lambda spec: spec.tenant))

    @property
    def allowed(self) -> set[str]:
        """Who may be in the pool; a paused tenant's rows stay in it, a retired one's do not."""
        willing = {s.tenant for s in self.specs if s.pooling.contribute and s.state != "retired"}
        return willing.difference(self.strict)

    @property
    def denied(self) -> tuple[str, ...]:
        """Who allows no pooling, by name."""
        return tuple(sorted(s.tenant for s in self.specs if not s.pooling.contribute))

    @property
    def strict(self) -> tuple[str, ...]:
        """Who would be in the pool if it did not span regions: every region trains the same one."""
        if len({s.region for s in self.specs if s.state != "retired"}) < 2:
            return ()
        willing = (s for s in self.specs if s.pooling.contribute and s.residency.strict)
        return tuple(sorted(spec.tenant for spec in willing))


@dataclass(frozen=True)
class Standing:
    """The pooled model of a zone as of a time.

    Attributes:
        reign: The model; None when there is none.
        reason: Why another is due; empty when none is.
        is_usable: Whether it stays in use where no other can be trained: its features are still
            those declared, and all whose rows are in it still allow that.
        is_urgent: Whether another is due even when no tenant is to be trained.
    """

    reign: PooledReign | None
    reason: str
    is_usable: bool = False
    is_urgent: bool = False


def split_zones(specs: Iterable[Spec], as_of: datetime) -> tuple[Zone, ...]:
    """Return the zones of a product's tenants, by name."""
    zones: dict[str, list[Spec]] = defaultdict(list)
    for spec in specs:
        zones[spec.residency.zone].append(spec)
    return tuple(Zone(name, tuple(zones[name]), as_of) for name in sorted(zones))


def find_reasons(
    zones: Iterable[Zone], training: Iterable[Spec], store: ObjectStore
) -> dict[str, str]:
    """Return the zones whose pooled model a run has to train → why.

    One that is missing, old or made in another way than is declared is due when a tenant of the
    zone is to be trained. One that holds rows which may not be in it any more is due at once.

    Args:
        zones: All zones of the product.
        training: The specs of the tenants that are due for training.
        store: Where models lie.
    """
    asking = {spec.residency.zone for spec in training}
    standings = ((zone, find_standing(zone, store)) for zone in zones)
    return {
        zone.name: standing.reason
        for zone, standing in standings
        if standing.reason and (standing.is_urgent or (zone.name in asking and zone.contributing))
    }


def find_standing(zone: Zone, store: ObjectStore) -> Standing:
    """Read how the pooled model of a zone stands."""
    pointer = read_pooled(store, zone.product, zone.name)
    reign = pointer.at(zone.as_of) if pointer else None
    if pointer is None or reign is None:
        return Standing(None, "there was none")
    if tainted := pointer.tainted.get(reign.version):
        return Standing(reign, tainted, is_urgent=True)
    if reign.definition != definition(first_spec(zone.specs)):
        return Standing(reign, "what it is made by changed")
    return _standing_by_card(zone, reign, store)


def _standing_by_card(zone: Zone, reign: PooledReign, store: ObjectStore) -> Standing:
    try:
        card = read_pooled_card(store, zone.product, zone.name, reign.version)
    except ModelFileError as error:
        return Standing(reign, str(error))
    gone = sorted(set(card.contributors) - zone.allowed)
    if gone:
        return Standing(reign, f"no longer pooled: {', '.join(gone)}", is_urgent=True)
    folder = layout.pooled_folder(zone.product, zone.name, reign.version)
    files = ("model.skops", *(f"fold-{cut}.skops" for cut in card.folds))
    files += ("packed.bin",) if card.packed_digest else ()
    if any(store.find(folder + name) is None for name in files):
        return Standing(reign, "files of it are gone, collected or lost")
    every = first_spec(zone.specs).pooled.every
    if zone.as_of - reign.since < every:
        return Standing(reign, "", is_usable=True)
    reason = f"the last one is of {reign.since:%Y-%m-%d}, pooled.every is {format_duration(every)}"
    return Standing(reign, reason, is_usable=True)


def first_spec(specs: Sequence[Spec]) -> Spec:
    """Return the spec that stands for what all tenants of a product share."""
    return min(specs, key=lambda spec: spec.tenant)


def definition(spec: Spec) -> str:
    """Return the digest of what a pooled model is made by, whoever contributes."""
    parts = {"pooled", "label", "times", "sources"}
    return digest([spec.model_dump(mode="json", include=parts), spec.model.seed])
