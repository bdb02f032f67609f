"""Tenants with models in a store, as runs leave them, without anything being trained."""

from datetime import UTC, datetime, timedelta

from tenantry import layout
from tenantry.champions import Reign
from tenantry.crowning import crown
from tenantry.digests import digest, sha256
from tenantry.events import Event, write_event
from tenantry.models.card import Card, PooledPart
from tenantry.registry.orders import Order
from tenantry.times import compact

PRODUCT = "arrival-delay"
START = datetime(2013, 10, 1, tzinfo=UTC)
WALL = datetime(2026, 11, 24, 12, tzinfo=UTC)
ORDER = Order("ann", "it is late too often", WALL)


def day(number):
    return START + timedelta(days=number)


def version(number, tenant="ua"):
    """The version of the model that a tenant got on a day."""
    return f"{compact(day(number))}-{digest([tenant, number])[:12]}"


def make_model(store, number, tenant="ua", *, pooled=None, size=0, **changes):
    """Leave a model's file, of some bytes at least, and its card."""
    content = f"the model of {tenant} of day {number}".encode().ljust(size, b".")
    card = Card(
        product=PRODUCT,
        tenant=tenant,
        version=version(number, tenant),
        as_of=day(number),
        trained_until=day(number),
        recipe="blended" if pooled else "logistic",
        task="classification",
        form="blend" if pooled else "own",
        weight=0.4,
        pooled=pooled,
        file_digest=sha256(content),
        training_digest="t" * 64,
        spec_digest="s" * 64,
        snapshot="5" * 64,
        features="f" * 64,
        seed=7,
        code_version="0.1.0",
        rows=1000 + number,
        positives=200,
        metric="log_loss",
        scores={"logistic": {"log_loss": 0.42}},
        holdout={"challenger": {"log_loss": 0.40 + number / 1000}},
    ).model_copy(update=changes)
    folder = layout.model_folder(PRODUCT, tenant, card.version)
    store.put(f"{folder}model.skops", content)
    store.put(f"{folder}card.json", card.to_json())
    return card


def make_pooled(store, content=b"the pooled model"):
    """Leave a pooled model's file; return how a card refers to it."""
    part = PooledPart(zone="default", version="20131001T000000Z-pool", digest=sha256(content))
    folder = layout.pooled_folder(PRODUCT, part.zone, part.version)
    store.put(f"{folder}model.skops", content)
    return part


def make_reign(card, **changes):
    """The reign by which a model was crowned."""
    return Reign(
        since=card.as_of,
        version=card.version,
        digest=card.file_digest,
        trained_until=card.trained_until,
        training_digest=card.training_digest,
        recipe=card.recipe,
        gate=f"promoted on {card.as_of:%Y-%m-%d}",
        evidence={"challenger": card.version},
        run="run-1",
    ).model_copy(update=changes)


def decide(store, card, kind="promoted", turn=0, run="run-1"):
    """Leave the event of the gate's decision."""
    event = Event(
        kind=kind,
        as_of=card.as_of,
        product=PRODUCT,
        tenant=card.tenant,
        run=run,
        version=card.version,
        training_digest=card.training_digest,
        sentence=f"{kind} on {card.as_of:%Y-%m-%d}",
        turn=turn,
    )
    return write_event(store, event)


def make_tenant(store, days=(0, 31), tenant="ua", *, pooled=None, size=0):
    """Let a tenant have a model of each of these days, each crowned; return their versions."""
    for number in days:
        card = make_model(store, number, tenant, pooled=pooled, size=size)
        crown(store, PRODUCT, tenant, make_reign(card))
        decide(store, card)
    return [version(number, tenant) for number in days]


def contents(store):
    """What the store holds, by key; the index aside, which follows."""
    return {
        info.key: store.get(info.key).content
        for info in store.list("")
        if not info.key.startswith(layout.segments_folder(PRODUCT))
    }
