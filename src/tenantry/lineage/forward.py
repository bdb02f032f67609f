"""Forward lineage: all that a snapshot, a source file or a model influenced.

A snapshot reaches the models trained on it, the predictions scored from it and the judgements made
with its labels; through the pooled models that learnt from its very rows it reaches other tenants'
models, and all that these predicted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from tenantry.lineage.backward import answers_node, judgement_node, receipt_node
from tenantry.lineage.models import model_node, pooled_node
from tenantry.lineage.nodes import Node
from tenantry.lineage.shelf import Shelf, TenantShelf
from tenantry.lineage.sources import snapshot_node
from tenantry.models.card import Card
from tenantry.origins import SourceRead
from tenantry.places import Place, PlaceKind
from tenantry.predictions import Receipt
from tenantry.times import parse_compact


def trace_forward(shelf: Shelf, place: Place) -> Node:
    """Return a thing with all that it influenced.

    Raises:
        ValueError: Nothing is made from such a thing.
    """
    trace = _TRACES.get(place.kind)
    if trace is None:
        kinds = ", ".join(sorted(_TRACES))
        msg = f"{place.key}: nothing is made from a {place.kind}; forward goes from {kinds}"
        raise ValueError(msg)
    return trace(shelf, place)


def trace_source(shelf: Shelf, product: str, name: str, *, tenant: str = "") -> Node:
    """Return a source file with every snapshot that was read from it and all these influenced.

    Args:
        shelf: What is read.
        product: The product.
        name: The file below its connection's folder, with or without ``<connection>:`` before.
        tenant: Only snapshots of this one; of all when empty.
    """
    below = []
    for one in [tenant] if tenant else shelf.tenants(product):
        held = TenantShelf(shelf.store, product, one)
        shas = {it.snapshot for it in held.origins.values() if name in _names_of(it.reads)}
        below += [_from_snapshot(shelf, held, sha, "read into") for sha in sorted(shas)]
    return Node("file", name, state="outside", below=tuple(below))


def _names_of(reads: Iterable[SourceRead]) -> set[str]:
    names: set[str] = set()
    for read in reads:
        place = f"{read.connection}:"
        names |= {read.path, place + read.path}
        names |= {name for file in read.files for name in (file.name, place + file.name)}
    return names


# --- by kind --------------------------------------------------------------------------------------


def _of_snapshot(shelf: Shelf, place: Place) -> Node:
    return _from_snapshot(shelf, shelf.tenant(place.product, place.tenant), place.name)


def _from_snapshot(shelf: Shelf, tenant: TenantShelf, sha: str, relation: str = "") -> Node:
    versions = [version for version, card in tenant.cards.items() if card.snapshot == sha]
    below = [_from_model(shelf, tenant, version, "trained") for version in versions]
    scored = [one for one in tenant.receipts.values() if one.snapshot == sha]
    below += [_from_receipt(tenant, one, "scored for") for one in scored]
    labelled = [key for key, one in tenant.judgements.items() if one.snapshot == sha]
    below += _judged_by(tenant, labelled, "labels for")
    below += _pooled_from(shelf, tenant, sha)
    facts = {"pooled": _say_pooled(shelf, tenant)}
    node = snapshot_node(tenant, sha, relation)
    return replace(node, facts={**node.facts, **facts}, below=tuple(below))


def _of_chunk(shelf: Shelf, place: Place) -> Node:
    tenant = shelf.tenant(place.product, place.tenant)
    below = []
    for sha in sorted({one.place.name for one in tenant.of("snapshot")}):
        manifest = tenant.manifest(sha)
        if manifest and any(chunk.sha256 == place.name for chunk in manifest.chunks):
            below.append(_from_snapshot(shelf, tenant, sha, "part of"))
    return Node("chunk", place.name, "", place.key, tenant.state_of(place.key), below=tuple(below))


def _of_features(shelf: Shelf, place: Place) -> Node:
    tenant = shelf.tenant(place.product, place.tenant)
    versions = [version for version, card in tenant.cards.items() if card.features == place.name]
    below = [_from_model(shelf, tenant, version, "trained") for version in versions]
    scored = [one for one in tenant.receipts.values() if one.features == place.name]
    below += [_from_receipt(tenant, one, "scored for") for one in scored]
    state = tenant.state_of(place.key)
    return Node("features", place.name, "", place.key, state, below=tuple(below))


def _of_model(shelf: Shelf, place: Place) -> Node:
    return _from_model(shelf, shelf.tenant(place.product, place.tenant), place.name)


def _of_pooled(shelf: Shelf, place: Place) -> Node:
    return _from_pooled(shelf, place.product, f"{place.zone}/{place.name}")


def _of_prediction(shelf: Shelf, place: Place) -> Node:
    tenant = shelf.tenant(place.product, place.tenant)
    key = f"tenants/{place.product}/{place.tenant}/predictions/{place.name}/receipt.json"
    if (receipt := tenant.receipts.get(key)) is not None:
        return _from_receipt(tenant, receipt)
    return Node("prediction", place.name, "", place.key, tenant.state_of(key))


# --- from one thing -------------------------------------------------------------------------------


def _from_model(shelf: Shelf, tenant: TenantShelf, version: str, relation: str = "") -> Node:
    predicted = [one for one in tenant.receipts.values() if one.model == version]
    below = [_from_receipt(tenant, one, "predicted") for one in predicted]
    answers = [one for one in tenant.answers.values() if one.model == version]
    below += [answers_node(tenant, one, "answered") for one in answers]
    return replace(model_node(shelf, tenant, version, relation), below=tuple(below))


def _from_receipt(tenant: TenantShelf, receipt: Receipt, relation: str = "") -> Node:
    judged = _judged_by(tenant, tenant.judged_in.get(receipt.key, ()), "judged in")
    return replace(receipt_node(tenant, receipt, relation), below=judged)


def _judged_by(tenant: TenantShelf, keys: Iterable[str], relation: str) -> tuple[Node, ...]:
    return tuple(judgement_node(tenant, tenant.judgements[key], key, relation) for key in keys)


def _pooled_from(shelf: Shelf, tenant: TenantShelf, sha: str) -> Iterator[Node]:
    """Yield the pooled models that learnt from the very rows of a snapshot."""
    proofs = {one.fingerprint for one in tenant.origins_of(sha)} - {""}
    for (zone, version), card in shelf.pooled(tenant.product).cards.items():
        if card.fingerprints.get(tenant.tenant) in proofs:
            yield _from_pooled(shelf, tenant.product, f"{zone}/{version}", "taught")


def _from_pooled(shelf: Shelf, product: str, name: str, relation: str = "") -> Node:
    below = []
    version = name.partition("/")[2]
    for tenant in shelf.tenants(product):
        held = TenantShelf(shelf.store, product, tenant)
        for card in _cards_since(held, version):
            if _stands_on(card, name):
                below.append(_from_model(shelf, held, card.version, "part of"))
            elif card.weighed == name:
                below.append(_from_model(shelf, held, card.version, "weighed against"))
    return replace(pooled_node(shelf, product, name, relation), below=tuple(below))


def _cards_since(tenant: TenantShelf, pooled: str) -> Iterator[Card]:
    """Yield the cards of models that were trained when a pooled model was there or later."""
    for one in tenant.of("model"):
        if one.place.part == "card.json" and _trained(one.place.name) >= _trained(pooled):
            card = tenant.record(Card, one.info.key)
            if card is not None:
                yield card


def _trained(version: str) -> datetime:
    return parse_compact(version.split("-", maxsplit=1)[0])


def _stands_on(card: Card, name: str) -> bool:
    return card.pooled is not None and f"{card.pooled.zone}/{card.pooled.version}" == name


def _say_pooled(shelf: Shelf, tenant: TenantShelf) -> str:
    """Say in how many pooled models a tenant's rows are, and how many name it as denying."""
    cards = shelf.pooled(tenant.product).cards.values()
    inside = sum(tenant.tenant in card.contributors for card in cards)
    denied = sum(tenant.tenant in card.denied for card in cards)
    return f"the tenant's rows are in {inside} of {len(cards)} pooled models, denied to {denied}"


_TRACES: Mapping[PlaceKind, Callable[[Shelf, Place], Node]] = {
    "chunk": _of_chunk,
    "snapshot": _of_snapshot,
    "features": _of_features,
    "model": _of_model,
    "pooled": _of_pooled,
    "prediction": _of_prediction,
}
