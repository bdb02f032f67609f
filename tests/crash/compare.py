"""What two fleets that had the same work must share, however often one was interrupted."""

import json
from collections.abc import Iterable
from dataclasses import replace

from tenantry import layout
from tenantry.digests import canonical_json
from tenantry.plans import read_plan
from tenantry.states import TenantRecord
from tenantry.store.contract import ObjectStore
from tenantry.surveys import find_differences, survey
from tests.crash.tiny import PRODUCT, TENANTS

_OF_RUNS = ("runs/", "store/")
"""Plans and ledgers tell how each run went; proofs, who answered."""

_NOT_COMPARED = "/attempt.json", "/open/", "/index/segments/", "products/arrival-delay/index.json"
"""Who is being worked on, and pieces of an index: it is compared when joined."""


def contents(store: ObjectStore, runs: Iterable[str]) -> dict[str, bytes]:
    """Return every object that must be equal, by key, with the names of runs made equal.

    Left out are timings (they lie in runs' ledgers), the content of Evidently's pages, and the
    pieces of the index.
    """
    return {
        info.key: _normalised(info.key, store.get(info.key).content, tuple(runs))
        for info in store.list("")
        if not info.key.startswith(_OF_RUNS) and not any(part in info.key for part in _NOT_COMPARED)
    }


def differences(wanted: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    """Return how what was found differs, a line an object."""
    lines = [f"missing: {key}" for key in sorted(wanted.keys() - found.keys())]
    lines += [f"extra: {key}" for key in sorted(found.keys() - wanted.keys())]
    both = sorted(wanted.keys() & found.keys())
    return lines + [f"different: {key}" for key in both if wanted[key] != found[key]]


def joined_index(store: ObjectStore) -> dict[str, TenantRecord]:
    """Return what a plan takes for known of each tenant, costs and markers of crashes aside."""
    found = survey(store, PRODUCT)
    records = {tenant: found.record(tenant) for tenant in TENANTS}
    return {tenant: replace(record, costs={}, marked=False) for tenant, record in records.items()}


def index_faults(store: ObjectStore, wanted: dict[str, TenantRecord]) -> list[str]:
    """Return where the index differs from an undisturbed fleet's, and from the tenants' folders."""
    found = joined_index(store)
    faults = [f"index: {tenant} differs" for tenant in TENANTS if found[tenant] != wanted[tenant]]
    told = find_differences(survey(store, PRODUCT))
    return faults + [f"index: {tenant} {words}" for tenant, words in told.items()]


def stale_markers(store: ObjectStore, run: str) -> list[str]:
    """Return the markers of tenants that a run which came to its end worked on.

    A tenant that was killed when all its work was done keeps its marker until it has work again:
    a run in which nothing is due writes no byte.
    """
    plan = read_plan(store, run)
    worked_on = {name for name, planned in plan.tenants.items() if planned.due} if plan else set()
    keys = {layout.attempt(PRODUCT, tenant) for tenant in worked_on}
    return [f"stale: {info.key}" for info in store.list("tenants/") if info.key in keys]


def _normalised(key: str, content: bytes, runs: tuple[str, ...]) -> bytes:
    if key.endswith(".html"):
        return b""
    for run in runs:
        content = content.replace(f'"{run}"'.encode(), b'"run"')
    if "/sources/" in key:
        record = json.loads(content)
        for read in record["reads"]:
            for file in read["files"]:
                file.pop("modified")
        return canonical_json(record)
    return content
