"""From what workers published to the change index: written by the shard, whose store reaches it.

A worker says in its outcome what it left under its tenant's prefix; the shard makes entries of it.
An entry that is not made, because the shard died before, is made by the next run: its plan sees
that index and pointer differ (`why_publish`).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from tenantry import layout
from tenantry.champions import Champion
from tenantry.jobs import Job, Result
from tenantry.ledger import Entry as Line
from tenantry.ledger import Header
from tenantry.models.card import read_card
from tenantry.models.pooled import read_usable_champion
from tenantry.serving.entries import Entry, Trial
from tenantry.serving.index import change_entries, remove_entries, write_entries
from tenantry.serving.records import write_record
from tenantry.specs.model import Spec, serving_digest
from tenantry.store.contract import ObjectStore

_SHA = re.compile(r"[0-9a-f]{64}")


def publish(job: Job) -> Result:
    """Leave the record by which a tenant's champion answers single rows.

    The champion is the one that reigns now, whatever the run's `as_of`: servers answer for today.

    Facts: `serves` (the version), `record` (SHA-256), `counter` and `pinned` of its pointer; none
    where the tenant is not served, or has no model. Where a challenger is tried `tries` and
    `trial_record`, the same of it.
    """
    if not job.spec.serving.enabled:
        return Result()
    champion = read_usable_champion(job.store, job.product, job.tenant)
    if champion is None or not champion.standing:
        return Result("nothing to serve: no model reigns")
    from tenantry.rules import read_rules
    from tenantry.serving.publish import make_record

    reign = champion.current
    card = read_card(job.store, job.product, job.tenant, reign.version)
    rules = read_rules(job.store, job.spec, reign.version)
    sha = write_record(job.store, make_record(job.spec, card, rules, packed=reign.packed))
    served = Result(
        f"serves {reign.version}",
        facts={
            "serves": reign.version,
            "record": sha,
            "counter": champion.counter,
            "pinned": champion.pin is not None,
        },
        keys=(layout.serving_record(job.product, job.tenant, sha),),
    )
    return _with_trial(job, champion, served)


def _with_trial(job: Job, champion: Champion, served: Result) -> Result:
    """Leave the record of the challenger that is tried, too, where the spec asks for one."""
    asked = job.spec.serving.challenger
    if asked is None:
        return served
    from tenantry.serving.challenger import find_challenger, write_challenger

    version = find_challenger(job.store, job.spec, champion)
    if not version:
        return replace(served, message=f"{served.message}; no challenger to try")
    sha = write_challenger(job.store, job.spec, version)
    if not sha:
        return replace(served, message=f"{served.message}; the challenger {version} is not there")
    return replace(
        served,
        message=f"{served.message}, tries {version} ({asked.mode})",
        facts={**served.facts, "tries": version, "trial_record": sha},
        keys=(*served.keys, layout.serving_record(job.product, job.tenant, sha)),
    )


def announce(
    store: ObjectStore, header: Header, lines: Iterable[Line], specs: dict[str, Spec]
) -> None:
    """Write the entries of a shard's tenants into the change index, after a stage.

    Args:
        store: The run's store.
        header: Names the stage.
        lines: The shard's ledger entries, that stage's outcomes included.
        specs: The tenants' specs.

    Raises:
        StoreUnavailableError: The store does not answer.
    """
    served = [line for line in lines if specs[line.tenant].serving.enabled]
    if header.stage == "promote":
        retire(store, header.product, (one.tenant for one in served if _is_retired(one)))
    if header.stage == "predict":
        entries = {one.tenant: _entry(header, one, specs[one.tenant]) for one in served}
        found = {tenant: entry for tenant, entry in entries.items() if entry}
        write_entries(store, header.product, found)


def retire(store: ObjectStore, product: str, tenants: Iterable[str]) -> None:
    """Say that tenants are answered for no more."""
    change_entries(store, product, tenants, lambda one: one.model_copy(update={"retired": True}))


def take_back(
    store: ObjectStore,
    entries: Mapping[str, Entry],
    specs: Mapping[str, Spec],
    is_retired: Callable[[str], bool],
) -> None:
    """Tell servers of tenants that they answer for no more, where nobody has told them yet.

    Args:
        store: The store.
        entries: What servers are told, by tenant.
        specs: All specs of the product; a tenant without one is left as it is.
        is_retired: Whether a tenant was archived.
    """
    for name in entries.keys() & specs.keys():
        spec = specs[name]
        if not spec.serving.enabled:
            remove_entries(store, spec.product, [name])
        elif spec.state == "retired" and not entries[name].retired and is_retired(name):
            retire(store, spec.product, [name])


def why_publish(spec: Spec, champion: Champion | None, entry: Entry | None, *, moves: bool) -> str:
    """Say why a run has to publish for a tenant; empty when it has not.

    Args:
        spec: The tenant's spec.
        champion: Its champion; None without one.
        entry: What the change index has of it.
        moves: Whether the run may crown another model.
    """
    if not spec.serving.enabled or (champion is None and not moves):
        return ""
    if moves:
        return "servers follow what the run decides"
    if entry is None:
        return "servers know nothing of it yet"
    if champion is not None and not entry.tells_of(champion):
        return f"servers answer with {entry.version}, as the pointer was before it moved"
    if entry.spec != serving_digest(spec) or entry.retired:
        return "its spec changed how servers answer"
    return "" if entry.online else "servers lack the past that its features look at"


def _is_retired(line: Line) -> bool:
    return line.fact("promote", "retired") is True


def _entry(header: Header, line: Line, spec: Spec) -> Entry | None:
    """Make an entry of what a worker says; None where it published nothing."""
    version, record = line.fact("predict", "serves"), line.fact("predict", "record")
    online, counter = line.fact("ingest", "online") or "", line.fact("predict", "counter")
    if not (isinstance(version, str) and _is_sha(record) and isinstance(counter, int)):
        return None
    return Entry(
        version=version,
        record=str(record),
        online=str(online) if _is_sha(online) else "",
        spec=serving_digest(spec),
        published=header.as_of,
        as_of=header.as_of,
        counter=counter,
        pinned=line.fact("predict", "pinned") is True,
        trial=_trial(line, spec),
    )


def _trial(line: Line, spec: Spec) -> Trial | None:
    asked = spec.serving.challenger
    version, record = line.fact("predict", "tries"), line.fact("predict", "trial_record")
    if asked is None or not (isinstance(version, str) and _is_sha(record)):
        return None
    return Trial(version=version, record=str(record), share=asked.share, mode=asked.mode)


def _is_sha(value: object) -> bool:
    return isinstance(value, str) and _SHA.fullmatch(value) is not None
