"""The models of a lineage: what a tenant's model and a pooled one were made from."""

from collections.abc import Iterator

from tenantry import layout
from tenantry.champions import Champion, Reign
from tenantry.lineage.nodes import Facts, Node, State
from tenantry.lineage.shelf import Shelf, TenantShelf
from tenantry.lineage.sources import snapshot_node
from tenantry.models.card import Card, PooledCard
from tenantry.origins import Origin
from tenantry.times import format_moment

NOT_PROVEN = "no snapshot of the tenant is on record with these rows"
"""What is said of a contributor whose rows only the training of the pooled model read."""


def model_node(shelf: Shelf, tenant: TenantShelf, version: str, relation: str = "") -> Node:
    """Return a tenant's model and what it was trained on."""
    folder = layout.model_folder(tenant.product, tenant.tenant, version)
    card = tenant.cards.get(version)
    below: list[Node] = []
    if card is not None:
        below.append(snapshot_node(tenant, card.snapshot, "trained on", as_of=card.as_of))
        below.append(features_node(tenant, card.features, "learnt from"))
        below += _pooled_parts(shelf, card)
    return Node(
        kind="model",
        name=version,
        relation=relation,
        key=f"{folder}card.json",
        state=tenant.state_of(f"{folder}card.json", f"{folder}model.skops"),
        facts=_model_facts(tenant, version, card),
        below=tuple(below),
    )


def features_node(tenant: TenantShelf, sha: str, relation: str = "") -> Node:
    """Return a feature table; it can always be built again from its snapshot."""
    key = layout.features(tenant.product, tenant.tenant, sha)
    state = tenant.state_of(key)
    facts: Facts = {} if state == "there" else {"note": "it can be built again from the snapshot"}
    return Node("features", sha, relation, key, state, facts)


def reign_node(champion: Champion, reign: Reign, relation: str = "") -> Node:
    """Return a reign: why the model was let reign, by whom, and whether that still counts."""
    facts: dict[str, str | bool] = {
        "since": format_moment(reign.since),
        "why": reign.gate,
        "run": reign.run,
    }
    if reign.restores:
        facts |= {"rolled_back_by": reign.restores.who, "reason": reign.restores.why}
    if (judge := champion.revoked.get(reign.place)) is not None:
        facts["revoked"] = f"by a rollback as of {format_moment(judge.since)}"
    if reign.version in champion.withdrawn:
        facts["withdrawn"] = champion.withdrawn[reign.version]
    if champion.pin and champion.pin.version == reign.version:
        facts["pinned"] = f"by {champion.pin.who}: {champion.pin.why}"
    facts["current"] = champion.current.place == reign.place
    return Node("reign", reign.version, relation, facts=facts)


def pooled_node(
    shelf: Shelf, product: str, name: str, relation: str = "", *, prove: bool = False
) -> Node:
    """Return a pooled model and the tenants whose rows are in it.

    Args:
        shelf: What is read.
        product: The product.
        name: The pooled model, ``<zone>/<version>``.
        relation: How it hangs on the node above.
        prove: Search each contributor's snapshots for those with the very rows it gave.
    """
    zone, _, version = name.partition("/")
    folder = layout.pooled_folder(product, zone, version)
    held = shelf.pooled(product)
    card = held.cards.get((zone, version))
    key = f"{folder}card.json"
    gone = [one for one in (key, f"{folder}model.skops") if not held.has(one)]
    state: State = "there"
    if gone:
        state = "collected" if shelf.collected(product).issuperset(gone) else "missing"
    return Node(
        kind="pooled",
        name=name,
        relation=relation,
        key=key,
        state="unreadable" if key in held.unreadable else state,
        facts=_pooled_facts(shelf, product, zone, card),
        below=tuple(_contributors(shelf, card, prove=prove)) if card else (),
    )


def _pooled_parts(shelf: Shelf, card: Card) -> Iterator[Node]:
    if card.pooled is not None:
        name = f"{card.pooled.zone}/{card.pooled.version}"
        yield pooled_node(shelf, card.product, name, "stands on")
    elif card.weighed:
        yield pooled_node(shelf, card.product, card.weighed, "weighed against")


def _contributors(shelf: Shelf, card: PooledCard, *, prove: bool) -> Iterator[Node]:
    for tenant, rows in card.contributors.items():
        proof = card.fingerprints.get(tenant, "")
        node = Node(
            kind="contributor",
            name=tenant,
            relation="learnt from",
            key=layout.tenant_folder(card.product, tenant),
            state="outside",
            facts={"rows": rows, "fingerprint": proof},
        )
        yield _proven(shelf, card, node, proof) if prove else node


def _proven(shelf: Shelf, card: PooledCard, node: Node, proof: str) -> Node:
    """Return a contributor with the snapshots that hold the very rows it gave."""
    tenant = TenantShelf(shelf.store, card.product, node.name)
    found = tenant.origins_at(card.as_of) or tuple(tenant.origins.values())
    same = sorted({one.snapshot for one in found if _is_same(one, proof)})
    below = tuple(snapshot_node(tenant, sha, "proven by", as_of=card.as_of) for sha in same)
    if below:
        return Node(node.kind, node.name, node.relation, node.key, "there", node.facts, below)
    is_erased = tenant.tenants_state == "erased"
    facts = {**node.facts, "note": "the tenant was erased since" if is_erased else NOT_PROVEN}
    state: State = "erased" if is_erased else "missing"
    return Node(node.kind, node.name, node.relation, node.key, state, facts)


def _is_same(origin: Origin, proof: str) -> bool:
    return bool(proof) and origin.fingerprint == proof


def _model_facts(tenant: TenantShelf, version: str, card: Card | None) -> Facts:
    decision = tenant.decisions.get(version)
    facts: dict[str, str | int] = {"tenant": tenant.tenant}
    if card is not None:
        facts |= {
            "recipe": card.recipe,
            "trained_until": format_moment(card.trained_until),
            "rows": card.rows,
            "file_digest": card.file_digest,
            "spec_digest": card.spec_digest,
            "code_version": card.code_version,
        }
    if decision is not None:
        facts |= {"run": decision.run, "decision": decision.kind, "why": decision.sentence}
    elif card is not None:
        facts["decision"] = "none: the run that trained it did not come to promote"
    return facts


def _pooled_facts(shelf: Shelf, product: str, zone: str, card: PooledCard | None) -> Facts:
    if card is None:
        return {}
    pointer = shelf.pooled_pointer(product, zone)
    reigns = [one for one in (pointer.reigns if pointer else ()) if one.version == card.version]
    facts: dict[str, str | int | list[str]] = {
        "trained_until": format_moment(card.as_of),
        "rows": card.rows,
        "contributors": len(card.contributors),
        "denied": list(card.denied),
        "file_digest": card.file_digest,
        "definition": card.definition,
        "code_version": card.code_version,
        "run": reigns[0].run if reigns else "",
    }
    if pointer and card.version in pointer.tainted:
        facts["tainted"] = pointer.tainted[card.version]
    return facts
