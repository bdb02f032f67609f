"""Taking a tenant out of what runs left: plans, frozen specs, ledgers, pooled outcomes, reports.

These hold no rows, but what was done for the tenant, with its counts and scores.
"""

import json
import re
from collections.abc import Container, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from tenantry import layout
from tenantry.digests import canonical_json
from tenantry.erasure.removal import Removal
from tenantry.errors import ObjectMissingError
from tenantry.ledger import Ledger
from tenantry.plans import RunPlan, read_plan
from tenantry.store.contract import ObjectStore

T = TypeVar("T")


def runs_naming(store: ObjectStore, product: str, tenant: str) -> tuple[str, ...]:
    """Return the runs of a product that planned a tenant, or of which nobody can say."""
    return tuple(run for run, plan in _plans(store, product) if plan is None or tenant in plan)


def scrub_runs(
    removal: Removal, product: str, tenant: str, runs: Container[str] | None = None
) -> None:
    """Take a tenant out of every run's records, and remove the fleet pages that show it.

    The plan is written last: as long as it names the tenant, the rest is not done.

    Args:
        removal: Removes, rewrites and counts.
        product: The product.
        tenant: The tenant.
        runs: Only these; all when None.
    """
    for run, plan in _plans(removal.store, product):
        if runs is not None and run not in runs:
            continue
        if plan is None or tenant in plan:
            _scrub_run(removal, run, product, tenant)
        removal.forget(layout.run_folder(run))


def _plans(store: ObjectStore, product: str) -> Iterator[tuple[str, frozenset[str] | None]]:
    """Yield the runs that may be of a product, and whom they planned; None where that is lost."""
    for run in store.list_folders(layout.runs_folder()):
        try:
            plan = read_plan(store, run)
        except ValueError:
            plan = None
        if plan is None:
            yield run, None
        elif plan.product == product:
            yield run, frozenset(plan.tenants)


def _scrub_run(removal: Removal, run: str, product: str, tenant: str) -> None:
    store, last = removal.store, layout.plan(run)
    keys = [info.key for info in store.list(layout.run_folder(run)) if info.key != last]
    for key in (*keys, last):
        try:
            content = store.get(key).content
        except ObjectMissingError:
            continue
        kept = _without(key, content, product, tenant)
        if kept is None:
            removal.remove("runs' records", key)
        elif kept != content:
            removal.rewrite("runs' records", key, kept)


def _without(key: str, content: bytes, product: str, tenant: str) -> bytes | None:
    """Return an object of a run without a tenant; None when it cannot be told apart."""
    if tenant.encode() not in content:
        return content
    if key.endswith(".html"):
        return None
    if key.endswith(".csv"):
        return _prune_bill(content, tenant)
    with suppress(ValueError):  # torn by a crash
        if key.endswith(".jsonl"):
            return _prune_ledger(content, key, product, tenant)
        is_plan = key.endswith("/plan.json")
        prune = _prune_plan if is_plan else _prune_record
        return prune(content, key, tenant)
    return None


def _kept(named: Mapping[str, T], tenant: str) -> dict[str, T]:
    return {name: one for name, one in named.items() if name != tenant}


def _prune_ledger(content: bytes, key: str, product: str, tenant: str) -> bytes | None:
    """Return a ledger without a tenant; None when it is of nobody else: its shard is named so."""
    ledger = Ledger.from_lines(content, key)
    if ledger.header.product != product:
        return content
    kept = ledger.without({tenant})
    return kept.to_lines() if kept.entries else None


def _prune_bill(content: bytes, tenant: str) -> bytes:
    """Return a bill without a tenant; what the others are charged stays."""
    mine = f"{tenant},".encode()
    return b"".join(line for line in content.splitlines(keepends=True) if line[: len(mine)] != mine)


def _prune_plan(content: bytes, key: str, tenant: str) -> bytes:
    plan = RunPlan.from_json(content, key)
    tenants = _kept(plan.tenants, tenant)
    used = {planned.shard for planned in tenants.values()}
    shards = tuple(shard for shard in plan.shards if shard in used)
    return plan.model_copy(update={"tenants": tenants, "shards": shards}).to_json()


def _prune_record(content: bytes, key: str, tenant: str) -> bytes | None:
    """Return frozen specs or the pooled outcome without a tenant; None when nothing is left."""
    record = json.loads(content)
    if key.endswith("/pooled.json"):
        return canonical_json(_prune_outcome(record, tenant))
    kept = _kept(record, tenant)
    return canonical_json(kept) if kept else None


def _prune_outcome(outcome: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """Return the record of what became of the pooled models without a tenant."""
    lines = str(outcome.get("message", "")).splitlines()
    named = re.compile(rf"(?<![a-z0-9-]){re.escape(tenant)}(?![a-z0-9-])")
    return {
        **outcome,
        "contributors": _kept(outcome.get("contributors", {}), tenant),
        "failures": _kept(outcome.get("failures", {}), tenant),
        "denied": [name for name in outcome.get("denied", ()) if name != tenant],
        "message": "\n".join(named.sub("(erased)", line) for line in lines),
    }
