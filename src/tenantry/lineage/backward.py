"""Backward lineage: what a thing in the store was made from, down to the source files."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from tenantry import layout
from tenantry.champions import Reign
from tenantry.events import Event
from tenantry.fleet import read_run
from tenantry.lineage.models import features_node, model_node, pooled_node, reign_node
from tenantry.lineage.nodes import Node, State
from tenantry.lineage.shelf import Shelf, TenantShelf
from tenantry.lineage.sources import origin_nodes, snapshot_node
from tenantry.members import Member
from tenantry.models.card import Card
from tenantry.monitoring.judgements import Judgement
from tenantry.places import Place, PlaceKind
from tenantry.predictions import Receipt
from tenantry.served import ServedReceipt
from tenantry.serving.records import ServingRecord
from tenantry.times import format_moment


def trace_back(shelf: Shelf, place: Place) -> Node:
    """Return a thing with all that it was made from.

    What is gone is a node that says so; nothing that is missing raises.
    """
    return _TRACES[place.kind](shelf, place)


def prediction_node(
    shelf: Shelf, tenant: TenantShelf, receipt: Receipt, relation: str = ""
) -> Node:
    """Return a window's predictions with the reign, the model and the rows that they rest on."""
    reigning = _reigning(tenant, receipt)
    below = [model_node(shelf, tenant, receipt.model, "predicted by")]
    if tenant.champion and reigning:
        below.insert(0, reign_node(tenant.champion, reigning, "reigned when the window began"))
    below.append(snapshot_node(tenant, receipt.snapshot, "rows from", as_of=receipt.as_of))
    below.append(features_node(tenant, receipt.features, "scored from"))
    return replace(receipt_node(tenant, receipt, relation), below=tuple(below))


def receipt_node(tenant: TenantShelf, receipt: Receipt, relation: str = "") -> Node:
    """Return a window's predictions alone: what they are, and whether they are in force."""
    winner = tenant.in_force.get(receipt.window, receipt)
    facts: dict[str, str | int | bool] = {
        "tenant": tenant.tenant,
        "as_of": format_moment(receipt.as_of),
        "run": receipt.run,
        "rows": receipt.rows,
        "in_force": winner == receipt,
        "in_sample": receipt.in_sample,
    }
    if winner != receipt:
        facts["instead"] = winner.key
    files = [file.key for file in receipt.files]
    state = tenant.state_of(receipt.key, *files)
    return Node("prediction", receipt.window, relation, receipt.key, state, facts)


def _reigning(tenant: TenantShelf, receipt: Receipt) -> Reign | None:
    """Return who reigned when a window began, as it was known when it was predicted."""
    known = tenant.champion.until(receipt.as_of) if tenant.champion else None
    return (known.at(receipt.span.start) or known.earliest) if known else None


# --- by kind --------------------------------------------------------------------------------------


def _of_prediction(shelf: Shelf, place: Place) -> Node:
    tenant = shelf.tenant(place.product, place.tenant)
    folder = f"{layout.predictions_folder(place.product, place.tenant)}{place.name}/"
    receipt = tenant.receipts.get(f"{folder}receipt.json")
    if receipt is None:
        receipt = next((it for it in tenant.receipts.values() if _holds(it, place.key)), None)
    if receipt is not None:
        return prediction_node(shelf, tenant, receipt)
    window, _, source = place.name.partition("/")
    version, _, snapshot = source.rpartition("-")
    state = tenant.state_of(f"{folder}receipt.json")
    facts = {"note": "there is no receipt: it was never committed, or is gone"}
    digits = [one for one in _snapshots(tenant) if one.startswith(snapshot)]
    below = [model_node(shelf, tenant, version, "predicted by")]
    below += [snapshot_node(tenant, sha, "rows from") for sha in digits]
    return Node("prediction", window, "", place.key, state, facts, tuple(below))


def answers_node(tenant: TenantShelf, receipt: ServedReceipt, relation: str = "") -> Node:
    """Return logged answers to single rows alone."""
    facts: dict[str, str | int | bool] = {
        "tenant": tenant.tenant,
        "as_of": format_moment(receipt.as_of),
        "role": receipt.role,
        "rows": receipt.rows,
        "answered": f"{format_moment(receipt.first)} to {format_moment(receipt.last)}",
    }
    state = tenant.state_of(receipt.key, receipt.file.key)
    return Node("answers", receipt.window, relation, receipt.key, state, facts)


def _of_answers(shelf: Shelf, place: Place) -> Node:
    tenant = shelf.tenant(place.product, place.tenant)
    folder = layout.served_folder(place.product, place.tenant)
    key = f"{folder}{place.name}.json"
    window, version, _ = place.name.split("/")
    model = model_node(shelf, tenant, version, "answered by")
    receipt = tenant.answers.get(key)
    if receipt is None:
        return Node("answers", window, "", place.key, tenant.state_of(key), below=(model,))
    return replace(answers_node(tenant, receipt), below=(model,))


def _of_serving(shelf: Shelf, place: Place) -> Node:
    """Return what servers need: of a record the model it is of; a past says nothing of its rows."""
    tenant = shelf.tenant(place.product, place.tenant)
    is_record = place.part == "json"
    kind = "serving record" if is_record else "online features"
    record = tenant.record(ServingRecord, place.key) if is_record else None
    models = [model_node(shelf, tenant, record.version, "answers by")] if record else []
    return Node(kind, place.name, "", place.key, tenant.state_of(place.key), below=tuple(models))


def _holds(receipt: Receipt, key: str) -> bool:
    return any(file.key == key for file in receipt.files)


def _snapshots(tenant: TenantShelf) -> list[str]:
    return sorted({one.place.name for one in tenant.of("snapshot")})


def _of_model(shelf: Shelf, place: Place) -> Node:
    return model_node(shelf, shelf.tenant(place.product, place.tenant), place.name)


def _of_pooled(shelf: Shelf, place: Place) -> Node:
    return pooled_node(shelf, place.product, f"{place.zone}/{place.name}", prove=True)


def _of_pooled_pointer(shelf: Shelf, place: Place) -> Node:
    pointer = shelf.pooled_pointer(place.product, place.zone)
    since = {
        f"{place.zone}/{one.version}": f"since {format_moment(one.since)}"
        for one in (pointer.reigns if pointer else ())
    }
    below = [pooled_node(shelf, place.product, name, told) for name, told in since.items()]
    state: State = "there" if pointer else "missing"
    return Node("pooled models", place.zone, "", place.key, state, below=tuple(below))


def _of_snapshot(shelf: Shelf, place: Place) -> Node:
    return snapshot_node(shelf.tenant(place.product, place.tenant), place.name)


def _of_origin(shelf: Shelf, place: Place) -> Node:
    tenant = shelf.tenant(place.product, place.tenant)
    found = [one for key, one in tenant.origins.items() if key == place.key]
    for node in origin_nodes(found):
        return replace(node, relation="")
    return Node("ingest", place.part, "", place.key, tenant.state_of(place.key))


def _of_chunk(shelf: Shelf, place: Place) -> Node:
    tenant = shelf.tenant(place.product, place.tenant)
    holders = []
    for sha in _snapshots(tenant):
        manifest = tenant.manifest(sha)
        if manifest and any(chunk.sha256 == place.name for chunk in manifest.chunks):
            holders.append(snapshot_node(tenant, sha, "part of"))
    state = tenant.state_of(place.key)
    return Node("chunk", place.name, "", place.key, state, below=tuple(holders))


def _of_features(shelf: Shelf, place: Place) -> Node:
    tenant = shelf.tenant(place.product, place.tenant)
    users: list[Card | Receipt | Judgement] = [
        *tenant.cards.values(),
        *tenant.receipts.values(),
        *tenant.judgements.values(),
    ]
    shas = sorted({one.snapshot for one in users if one.features == place.name and one.snapshot})
    below = tuple(snapshot_node(tenant, sha, "built from") for sha in shas)
    node = features_node(tenant, place.name)
    facts = node.facts if below else {**node.facts, "used": "by nothing on record"}
    return replace(node, facts=facts, below=below)


def _of_judgement(shelf: Shelf, place: Place) -> Node:
    tenant = shelf.tenant(place.product, place.tenant)
    key = f"{layout.monitoring_folder(place.product, place.tenant)}{place.name}/judgement.json"
    judgement = tenant.judgements.get(key)
    if judgement is None:
        state = tenant.state_of(place.key if place.part else key)
        return Node("judgement", place.name, "", place.key, state)
    node = judgement_node(tenant, judgement, key)
    if place.part and place.part != "judgement.json":
        node = replace(node, key=place.key, state=tenant.state_of(place.key))
    receipt = tenant.receipts.get(judgement.receipt)
    below = [prediction_node(shelf, tenant, receipt, "judges")] if receipt else []
    if judgement.snapshot:
        rows = snapshot_node(tenant, judgement.snapshot, "labels from", as_of=judgement.as_of)
        below.append(rows)
    return replace(node, below=tuple(below))


def judgement_node(tenant: TenantShelf, judgement: Judgement, key: str, relation: str = "") -> Node:
    """Return a judgement alone."""
    facts = {
        "as_of": format_moment(judgement.as_of),
        "run": judgement.run,
        "status": judgement.status,
        "why": judgement.sentence,
    }
    return Node("judgement", judgement.window, relation, key, tenant.state_of(key), facts)


def _of_event(shelf: Shelf, place: Place) -> Node:
    tenant = shelf.tenant(place.product, place.tenant)
    event = tenant.record(Event, place.key)
    if event is None:
        return Node("event", place.name, "", place.key, tenant.state_of(place.key))
    facts = {"run": event.run, "why": event.sentence, "by": event.who, "reason": event.why}
    facts = {name: value for name, value in facts.items() if value}
    below = [model_node(shelf, tenant, event.version, "about")] if event.version else []
    return Node("event", place.name, "", place.key, facts=facts, below=tuple(below))


def _of_champion(shelf: Shelf, place: Place) -> Node:
    tenant = shelf.tenant(place.product, place.tenant)
    champion = tenant.champion
    if champion is None:
        return Node("champion", place.tenant, "", place.key, tenant.state_of(place.key))
    below = [reign_node(champion, reign, "reigned") for reign in champion.reigns]
    below.append(model_node(shelf, tenant, champion.current.version, "reigns now"))
    return Node("champion", place.tenant, "", place.key, below=tuple(below))


def _of_collection(shelf: Shelf, place: Place) -> Node:
    tenant = shelf.tenant(place.product, place.tenant)
    return Node("collection", place.name, "", place.key, tenant.state_of(place.key))


def _of_run(shelf: Shelf, place: Place) -> Node:
    try:
        state = read_run(shelf.store, place.name)
    except ValueError:
        return Node("run", place.name, "", place.key, "unreadable")
    if state is None or state.plan is None:
        folder = layout.run_folder(place.name)
        is_collected = any(folder in shelf.collected(product) for product in shelf.products())
        gone: State = "collected" if is_collected else "missing"
        return Node("run", place.name, "", place.key, gone)
    facts = {"product": state.product, "as_of": format_moment(state.plan.as_of)}
    zones = tuple(
        pooled_node(shelf, state.product, f"{zone}/{version}", "used")
        for zone, version in state.zones.items()
    )
    members = tuple(_member_node(one, state.product) for one in state.members if one.due)
    return Node("run", place.name, "", place.key, facts=facts, below=(*zones, *members))


def _member_node(member: Member, product: str) -> Node:
    keys = [key for outcome in member.outcomes for key in outcome.keys]
    return Node(
        kind="tenant",
        name=member.tenant,
        relation="worked for",
        key=layout.tenant_folder(product, member.tenant),
        facts={"state": member.state, "left": keys},
    )


_TRACES: Mapping[PlaceKind, Callable[[Shelf, Place], Node]] = {
    "chunk": _of_chunk,
    "origin": _of_origin,
    "snapshot": _of_snapshot,
    "features": _of_features,
    "model": _of_model,
    "prediction": _of_prediction,
    "served": _of_answers,
    "serving": _of_serving,
    "judgement": _of_judgement,
    "event": _of_event,
    "collection": _of_collection,
    "champion": _of_champion,
    "pooled_pointer": _of_pooled_pointer,
    "pooled": _of_pooled,
    "run": _of_run,
}
