"""Reading the truth about a tenant: what its folder holds.

Facts are immutable objects, so what a record knows already is not read again: reading after the
record in the index takes one listing, the champion's pointer and what is new.

What is not what its key says is passed over: the stages that need it fail for this tenant, and
nobody else waits for it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from tenantry import layout
from tenantry.champions import lighten, read_champion
from tenantry.errors import ModelFileError
from tenantry.events import DECISIONS, Event, EventName, parse_names, read_event, run_digest
from tenantry.facts import Alarm, Attempt, Failure, Predicted
from tenantry.models.card import read_card
from tenantry.monitoring.judgements import Judgement
from tenantry.predictions import Receipt
from tenantry.receipts import parse_receipts
from tenantry.records import passing_over
from tenantry.states import TenantRecord, uncleared
from tenantry.store.contract import ObjectStore
from tenantry.times import Window, parse_compact

_CLEARINGS = ("recovered", "cleared")


def read_state(
    store: ObjectStore, product: str, tenant: str, known: TenantRecord | None = None
) -> TenantRecord:
    """Read what a tenant's folder holds.

    Args:
        store: The object store.
        product: The product.
        tenant: The tenant.
        known: What was read before, or told; it is in the result, and not read again.

    Raises:
        StoreError: The store failed.
    """
    known = known or TenantRecord(tenant)
    keys = [info.key for info in store.list(layout.tenant_folder(product, tenant))]
    names = parse_names(keys, layout.events_folder(product, tenant))
    champion = None
    if layout.champion(product, tenant) in keys:
        with passing_over():
            champion = read_champion(store, product, tenant)
    judged = dict(_read_judged(store, product, tenant, keys, known))
    return known.join(
        replace(
            _read_trail(store, product, tenant, names, known),
            champion=lighten(champion) if champion else None,
            predicted=_read_predicted(store, product, tenant, keys, known),
            looked=frozenset(_looked(product, tenant, keys)),
            judged=frozenset(judged),
            alarms=frozenset(filter(None, judged.values())),
            marked=layout.attempt(product, tenant) in keys,
        )
    )


# --- the trail ------------------------------------------------------------------------------------


def _read_trail(
    store: ObjectStore,
    product: str,
    tenant: str,
    names: Sequence[EventName],
    known: TenantRecord,
) -> TenantRecord:
    """Read decisions, retirements and failures; events that are known are not read again."""
    cleared: dict[str, datetime] = {}
    for name in names:
        if name.kind in _CLEARINGS:
            cleared[name.stage] = max(name.as_of, cleared.get(name.stage, name.as_of))
    complete = {one.place for one in known.attempts if one.rows is not None}
    decided = [name for name in names if name.kind in DECISIONS and _place(name) not in complete]
    seen = {(one.as_of, one.stage, run_digest(one.run)) for one in known.failures}
    failed = [
        name
        for name in names
        if name.kind == "failed"
        and uncleared([Failure(name.as_of, name.run, name.stage, "")], cleared)
        and (name.as_of, name.stage, name.run) not in seen
    ]
    return TenantRecord(
        tenant,
        attempts=frozenset(
            attempt for name in decided for attempt in _read_attempt(store, product, tenant, name)
        ),
        retired=frozenset(name.as_of for name in names if name.kind == "retired"),
        failures=frozenset(failure for name in failed for failure in _read_failure(store, name)),
        cleared=cleared,
    )


def told_by(tenant: str, events: Iterable[Event]) -> TenantRecord:
    """Return what events tell of how a tenant's stages went: failures, and what cleared them."""
    record = TenantRecord(tenant)
    for event in events:
        if event.kind == "failed":
            fact = TenantRecord(tenant, failures=frozenset((_failure(event),)))
        elif event.kind in _CLEARINGS:
            fact = TenantRecord(tenant, cleared={event.stage: event.as_of})
        else:
            continue
        record = record.join(fact)
    return record


def _place(name: EventName) -> tuple[datetime, int, bool, str]:
    return name.as_of, name.turn, name.kind == "promoted", name.version


def _read_attempt(
    store: ObjectStore, product: str, tenant: str, name: EventName
) -> Iterator[Attempt]:
    """Yield the training that a decision ended; none when it is not about the challenger.

    What was crowned in the challenger's place is told first: only when the challenger is told of,
    too, is the trail of the attempt whole.
    """
    with passing_over():
        event = read_event(store, name.key)
        if event.evidence.get("challenger", name.version) != name.version:
            return
        yield Attempt(
            as_of=name.as_of,
            version=name.version,
            training_digest=event.training_digest,
            rows=_read_rows(store, product, tenant, name.version),
            turn=name.turn,
            promoted=name.kind == "promoted",
        )


def _read_rows(store: ObjectStore, product: str, tenant: str, version: str) -> int | None:
    try:
        return read_card(store, product, tenant, version).rows
    except ModelFileError:
        return None


def _read_failure(store: ObjectStore, name: EventName) -> Iterator[Failure]:
    with passing_over():
        yield _failure(read_event(store, name.key))


def _failure(event: Event) -> Failure:
    return Failure(event.as_of, event.run, event.stage, str(event.evidence.get("kind", "")))


# --- windows --------------------------------------------------------------------------------------


def _read_predicted(
    store: ObjectStore, product: str, tenant: str, keys: Sequence[str], known: TenantRecord
) -> dict[Window, tuple[Predicted, ...]]:
    """Read the receipts of each window and model of which more are listed than known."""
    receipts: dict[tuple[Window, str], list[str]] = {}
    for key, window, model in parse_receipts(product, tenant, keys):
        receipts.setdefault((window, model), []).append(key)
    read: dict[Window, tuple[Predicted, ...]] = {}
    for (window, model), listed in receipts.items():
        before = [one for one in known.predicted.get(window, ()) if one.model == model]
        if len(listed) > len(before):
            found = {one for key in listed for one in _read_receipt(store, key)}
            if found:
                read[window] = tuple(sorted({*read.get(window, ()), *found}))
    return read


def _read_receipt(store: ObjectStore, key: str) -> Iterator[Predicted]:
    with passing_over():
        receipt = Receipt.from_json(store.get(key).content, key)
        yield Predicted(receipt.as_of, receipt.model, receipt.in_sample)


def _looked(product: str, tenant: str, keys: Sequence[str]) -> Iterator[datetime]:
    folder = layout.looked_folder(product, tenant)
    for key in keys:
        if key.startswith(folder):
            with passing_over():
                yield parse_compact(key[len(folder) :].removesuffix(".json"))


def _read_judged(
    store: ObjectStore, product: str, tenant: str, keys: Sequence[str], known: TenantRecord
) -> Iterator[tuple[Window, Alarm | None]]:
    """Yield the windows that were judged since what is known, each with the alarm it gave."""
    folder = layout.monitoring_folder(product, tenant)
    for key in keys:
        if key.startswith(folder) and key.endswith("/judgement.json"):
            with passing_over():
                window = Window.parse(key[len(folder) :].split("/")[0])
                if window not in known.judged:
                    yield window, _alarm(window, Judgement.from_json(store.get(key).content, key))


def _alarm(window: Window, judgement: Judgement) -> Alarm | None:
    if judgement.action == "none" and judgement.status != "decayed":
        return None
    return Alarm(judgement.as_of, window, judgement.status, judgement.action, judgement.model)
