"""Train the pooled model of each residency zone, from all tenants that allow it."""

import logging
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd
from threadpoolctl import threadpool_limits

from tenantry.contributions import Contributions
from tenantry.erasure.pools import replace_pools
from tenantry.erasure.removal import Removal
from tenantry.erasure.tombstones import Marks, read_marks
from tenantry.errors import TrainingError
from tenantry.models.card import PooledCard
from tenantry.models.files import save_pooled
from tenantry.models.pooled import PooledReign, depose, enthrone
from tenantry.packed.save import pack_pooled
from tenantry.pooling import Standing, Zone, definition, find_standing, first_spec, split_zones
from tenantry.sources.connections import Connections
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.training.pooled import PooledFit, fit_pooled, pool_rows

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PooledOutcome:
    """What became of the pooled models of a product.

    Attributes:
        zones: Residency zone → version of the pooled model in use there.
        contributors: Tenant → rows that trained the pooled models made in this run.
        failures: Tenant → why its rows could not be had, in words.
        denied: Tenants that allow no pooling.
        strict: Tenants whose rows stay in their region, where the pool spans several.
        message: One sentence a zone.
    """

    zones: dict[str, str] = field(default_factory=dict)
    contributors: dict[str, int] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    denied: tuple[str, ...] = ()
    strict: tuple[str, ...] = ()
    message: str = ""


def train_pooled(  # noqa: PLR0913 - what a run knows
    specs: Sequence[Spec],
    as_of: datetime,
    *,
    run: str,
    store: ObjectStore,
    connections: Connections,
    code_version: str,
    due: Container[str] | None = None,
) -> PooledOutcome:
    """Train the pooled model of each zone where it is due; one that is fresh stays.

    It is due when there is none as of `as_of`, when it is older than `pooled.every`, when what it
    is made by changed, or when a tenant whose rows are in it allows pooling no more or had some of
    them erased. Tenants are read one by one; one whose rows cannot be had is left out, with the
    reason on record. Where no model can be fitted, the last one stays in use; one that must not is
    deposed. What is erased while a model is trained is in no model that comes of it.

    Args:
        specs: All tenants of one product and of the zones that the run serves, in whatever region;
            those that do not contribute included.
        as_of: The run's logical time; nothing later is read.
        run: The run's id.
        store: Where models lie.
        connections: Where sources lie.
        code_version: For the card.
        due: Zones to be trained, as planned; all that need it when None.

    Raises:
        StoreError: The store failed; nothing is trained without those who could not be read.
    """
    marks = read_marks(store, specs[0].product) if specs else Marks()
    rows = _Rows(store, connections, marks)
    outcome = PooledOutcome()
    living = [spec for spec in specs if spec.tenant not in marks.tenants]
    for zone in split_zones(living, as_of):
        if due is not None and zone.name not in due:
            made = _keep(zone, find_standing(zone, store))
        else:
            with threadpool_limits(1):
                made = _train_zone(zone, run, rows, code_version)
        outcome = _joined(outcome, made)
    return outcome


@dataclass(frozen=True)
class _Rows:
    """Where the tenants' rows come from, and what of them was erased before."""

    store: ObjectStore
    connections: Connections
    marks: Marks

    def contributions(self, as_of: datetime) -> Contributions:
        """Return what tenants give as of a time, none read yet."""
        return Contributions(as_of, self.store, self.connections, self.marks)

    def refuse_newer(self, card: PooledCard) -> None:
        """Withdraw a model when something was erased while it was trained: it may hold that.

        Raises:
            TrainingError: Something was.
        """
        now = read_marks(self.store, card.product)
        if now.tenants == self.marks.tenants and not now.newer_rows(self.marks):
            return
        why = "something was erased while it was trained"
        pool = f"{card.zone}/{card.version}"
        replace_pools(Removal(self.store), card.product, [pool], (), why)
        raise TrainingError(why)


def _keep(zone: Zone, standing: Standing) -> PooledOutcome:
    """Return the outcome of a zone whose model is not trained in this run."""
    reign = standing.reign
    if reign is None or not standing.is_usable:
        return PooledOutcome(denied=zone.denied, strict=zone.strict)
    why = f"not due for training: {standing.reason}" if standing.reason else "fresh"
    message = f"{zone.name}: the pooled model of {reign.since:%Y-%m-%d} is {why}"
    version = {zone.name: reign.version}
    return PooledOutcome(version, denied=zone.denied, strict=zone.strict, message=message)


def _train_zone(zone: Zone, run: str, rows: _Rows, code_version: str) -> PooledOutcome:
    store = rows.store
    standing = find_standing(zone, store)
    reign = standing.reign
    if not standing.reason:
        return _keep(zone, standing)
    given = rows.contributions(zone.as_of)
    try:
        if not zone.contributing:
            msg = "no tenant allows pooling"
            raise TrainingError(msg)
        cap = first_spec(zone.specs).pooled.max_rows
        sample = pool_rows(given.of(zone.contributing), cap)
        fit = fit_pooled(sample, zone.specs, zone.as_of)
        card = _save(zone, sample, fit, given, store, code_version)
        turn = reign.turn + 1 if reign is not None and reign.since == zone.as_of else 0
        enthrone(store, zone.product, zone.name, _reign(card, run, turn))
        rows.refuse_newer(card)
    except TrainingError as error:
        return _without(zone, standing, given.failures, f"{zone.name}: {error}", store)
    counted = f"{card.rows:,} rows of {len(card.contributors)} tenants"
    failures = card.failures
    left_out = f", {len(failures)} left out: {', '.join(failures)}" if failures else ""
    message = f"{zone.name}: trained on {counted}{left_out} ({standing.reason})"
    _LOG.info("%s", message, extra={"product": zone.product, "stage": "train_pooled", "run": run})
    version = {zone.name: card.version}
    return PooledOutcome(version, card.contributors, failures, zone.denied, zone.strict, message)


def _save(  # noqa: PLR0913, PLR0917 - what a card holds
    zone: Zone,
    sample: pd.DataFrame,
    fit: PooledFit,
    given: Contributions,
    store: ObjectStore,
    code_version: str,
) -> PooledCard:
    spec = first_spec(zone.specs)
    card = PooledCard(
        product=zone.product,
        zone=zone.name,
        as_of=zone.as_of,
        task=spec.label.task,
        definition=definition(spec),
        contributors=fit.contributors,
        fingerprints={tenant: given.prints[tenant] for tenant in fit.contributors},
        denied=zone.denied,
        strict=zone.strict,
        failures=given.failures,
        rows=sum(fit.contributors.values()),
        seed=spec.model.seed,
        code_version=code_version,
    )
    packed, why_not = pack_pooled(fit.pipeline, sample, card.task)
    card = card.model_copy(update={"not_packed": why_not})
    return save_pooled(store, card, fit.pipeline, fit.folds, packed=packed)


def _reign(card: PooledCard, run: str, turn: int) -> PooledReign:
    return PooledReign(
        since=card.as_of,
        version=card.version,
        digest=card.file_digest,
        packed=card.packed_digest,
        definition=card.definition,
        run=run,
        turn=turn,
    )


def _without(
    zone: Zone, standing: Standing, failures: dict[str, str], message: str, store: ObjectStore
) -> PooledOutcome:
    """Return the outcome of a zone where none can be trained: a usable one stays in use.

    One that holds rows which may not be in it any more is deposed, or it would be due for ever.
    """
    reign = standing.reign
    if reign is not None and standing.is_urgent:
        depose(store, zone.product, zone.name, reign.version, standing.reason)
        message = f"{message}; the pooled model of {reign.since:%Y-%m-%d} is deposed"
    if reign is None or not standing.is_usable:
        return PooledOutcome({}, {}, failures, zone.denied, zone.strict, message)
    message = f"{message}; the pooled model of {reign.since:%Y-%m-%d} stays in use"
    version = {zone.name: reign.version}
    return PooledOutcome(version, {}, failures, zone.denied, zone.strict, message)


def _joined(one: PooledOutcome, other: PooledOutcome) -> PooledOutcome:
    return PooledOutcome(
        one.zones | other.zones,
        one.contributors | other.contributors,
        one.failures | other.failures,
        tuple(sorted((*one.denied, *other.denied))),
        tuple(sorted((*one.strict, *other.strict))),
        "\n".join(message for message in (one.message, other.message) if message),
    )
