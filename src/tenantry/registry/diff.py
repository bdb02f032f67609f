"""What differs between two versions of a tenant's model: data, spec, features, scores, size."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tenantry import layout
from tenantry.curves import Curves, read_curves
from tenantry.digests import digest
from tenantry.errors import ObjectMissingError
from tenantry.events import DECISIONS, list_events, read_event
from tenantry.models.card import Card, read_card
from tenantry.origins import SourceFile, list_origins, read_origin
from tenantry.plans import read_plan
from tenantry.registry.versions import require_champion, require_version
from tenantry.specs.changes import Value, value_leaves
from tenantry.store.contract import ObjectStore
from tenantry.times import format_moment

_DIGITS = 12


@dataclass(frozen=True)
class Line:
    """A property of the two versions.

    Attributes:
        part: `data`, `model`, `spec`, `features`, `scores` or `size`.
        name: The property; a dotted path in the spec.
        one: Its value in the first version.
        other: Its value in the second.
    """

    part: str
    name: str
    one: Value
    other: Value

    @property
    def differs(self) -> bool:
        """Whether the versions differ in it."""
        return self.one != self.other


@dataclass(frozen=True)
class Diff:
    """Two versions side by side.

    Attributes:
        product: The product.
        tenant: The tenant.
        one: The first version.
        other: The second.
        lines: Their properties by part; of the spec those only that differ.
        notes: What could not be compared, and why.
    """

    product: str
    tenant: str
    one: str
    other: str
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Version:
    """All that is known of a version; `spec` and `sources` are None when no record says."""

    card: Card
    sources: tuple[SourceFile, ...] | None
    curves: Curves | None
    spec: dict[str, Any] | None
    model_bytes: int
    all_bytes: int


_Reader = Callable[[_Version], Mapping[str, Value]]


def compare_versions(store: ObjectStore, product: str, tenant: str, one: str, other: str) -> Diff:
    """Compare two versions of a tenant's model, whether they reigned or not.

    Raises:
        RegistryError: The tenant or a version is unknown; names the nearest one.
        ModelFileError: A card is missing or broken.
    """
    require_champion(store, product, tenant)
    for version in (one, other):
        require_version(store, product, tenant, version)
    sides = [_read(store, product, tenant, version) for version in (one, other)]
    lines = (
        *_both("data", sides, _data),
        *_both("model", sides, _model),
        *_both("spec", sides, _digests),
        *_specs(sides),
        *_features(*sides),
        *_both("scores", sides, _scores),
        *_both("size", sides, _size),
    )
    return Diff(product, tenant, one, other, lines, tuple(_notes(sides)))


def _both(part: str, sides: Sequence[_Version], read: _Reader) -> Iterator[Line]:
    one, other = (read(side) for side in sides)
    for name in dict.fromkeys((*one, *other)):
        yield Line(part, name, one.get(name), other.get(name))


def _data(side: _Version) -> dict[str, Value]:
    card = side.card
    share = None if card.positives is None or not card.rows else card.positives / card.rows
    return {
        "trained until": format_moment(card.trained_until),
        "labelled rows": card.rows,
        "share of positives": share,
        "snapshot": card.snapshot[:_DIGITS],
        "feature table": card.features[:_DIGITS],
        "rows of the holdout": card.holdout_rows,
        "source files": len(side.sources) if side.sources is not None else None,
        "source files, bytes": sum(file.size for file in side.sources) if side.sources else None,
    }


def _model(side: _Version) -> dict[str, Value]:
    card = side.card
    return {
        "recipe": card.recipe,
        "form": card.form,
        "weight of its own part": card.weight,
        "pooled model": card.pooled.version if card.pooled else None,
        "code": card.code_version,
        "seed": card.seed,
        "chosen": card.selection,
    }


def _digests(side: _Version) -> dict[str, Value]:
    return {
        "spec": side.card.spec_digest[:_DIGITS],
        "what training depends on": side.card.training_digest[:_DIGITS],
    }


def _specs(sides: Sequence[_Version]) -> Iterator[Line]:
    """Yield what differs between the specs; nothing where one of them is not kept."""
    if all(side.spec is not None for side in sides):
        lines = _both("spec", sides, lambda side: dict(value_leaves(side.spec)))
        yield from (line for line in lines if line.differs)


def _features(one: _Version, other: _Version) -> Iterator[Line]:
    """Yield which features each reads, and how much its main ones move its predictions."""
    weights = [_weights(side) for side in (one, other)]
    read = [_reads(side) for side in (one, other)]
    for name in sorted(read[0] ^ read[1]):
        yield Line("features", name, *("read" if name in names else "not read" for names in read))
    for name in dict.fromkeys((*weights[0], *weights[1])):
        yield Line("features", f"weight of {name}", weights[0].get(name), weights[1].get(name))


def _reads(side: _Version) -> set[str]:
    names = set(side.spec["features"]) if side.spec else set(_weights(side))
    return names - set(side.card.dropped)


def _weights(side: _Version) -> dict[str, float]:
    drivers = side.curves.drivers if side.curves else ()
    return {driver.feature: driver.weight for driver in drivers}


def _scores(side: _Version) -> dict[str, Value]:
    measured = {f"{model} on validation": found for model, found in side.card.scores.items()}
    measured |= {f"{model} on the holdout": found for model, found in side.card.holdout.items()}
    return {
        f"{metric} of {name}": value
        for name, found in measured.items()
        for metric, value in found.items()
    }


def _size(side: _Version) -> dict[str, Value]:
    return {"model file, bytes": side.model_bytes, "all its files, bytes": side.all_bytes}


def _notes(sides: Iterable[_Version]) -> Iterator[str]:
    for side in sides:
        if side.spec is None:
            yield (
                f"The spec that {side.card.version} was made by is not kept any more: "
                "of specs only the digests are compared."
            )


# --- reading --------------------------------------------------------------------------------------


def _read(store: ObjectStore, product: str, tenant: str, version: str) -> _Version:
    folder = layout.model_folder(product, tenant, version)
    sizes = {info.key.removeprefix(folder): info.size for info in store.list(folder)}
    card = read_card(store, product, tenant, version)
    return _Version(
        card=card,
        sources=_find_sources(store, card),
        curves=read_curves(store, product, tenant, version),
        spec=_find_spec(store, card),
        model_bytes=sizes.get("model.skops", 0),
        all_bytes=sum(sizes.values()),
    )


def _find_sources(store: ObjectStore, card: Card) -> tuple[SourceFile, ...] | None:
    """Return the files that the rows of a model were read from, as its own run found them."""
    ingests = list_origins(store, card.product, card.tenant, card.snapshot)
    keys = [name.key for name in ingests if name.as_of <= card.as_of]
    if not keys:
        return None
    return tuple(file for read in read_origin(store, keys[-1]).reads for file in read.files)


def _find_spec(store: ObjectStore, card: Card) -> dict[str, Any] | None:
    """Return the very spec that a model was made by, as the run that decided on it froze it."""
    for name in list_events(store, card.product, card.tenant):
        if name.kind in DECISIONS and name.version == card.version:
            run = read_event(store, name.key).run
            spec = _frozen(store, run, card.tenant)
            if spec is not None and digest(spec) == card.spec_digest:
                return spec
    return None


def _frozen(store: ObjectStore, run: str, tenant: str) -> dict[str, Any] | None:
    plan = read_plan(store, run)
    shard = plan.tenants[tenant].shard if plan and tenant in plan.tenants else None
    if shard is None:
        return None
    try:
        content = store.get(layout.frozen_specs(run, shard)).content
    except ObjectMissingError:
        return None
    spec: dict[str, Any] | None = json.loads(content).get(tenant)
    return {name: part for name, part in spec.items() if name != "apiVersion"} if spec else None
