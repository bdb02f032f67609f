"""What two fleets that had the same work must share, however often one was interrupted."""

import json
import re
from collections import Counter
from dataclasses import replace

from tenantry import layout
from tenantry.at_work import find_at_work
from tenantry.champions import read_champion
from tenantry.digests import canonical_json
from tenantry.plans import read_plan
from tenantry.receipts import list_predicted
from tenantry.states import TenantRecord
from tenantry.store.contract import ObjectStore
from tenantry.surveys import find_differences, survey
from tests.crash.tiny import PRODUCT, TENANTS

_OF_RUNS = ("runs/", "store/")
"""Plans and ledgers tell how each run went; proofs, who answered."""

_INDEX = "/index/segments/", "products/arrival-delay/index.json"
_NOT_COMPARED = ("/at-work/", "/open/", *_INDEX)
"""Who is being worked on, and pieces of an index: it is compared when joined."""


_OF_FAILURES = re.compile(r"/events/[^/]+-(failed|recovered)-[^/]+$")


def contents(store: ObjectStore) -> dict[str, bytes]:
    """Return every object that must be equal, by key, with the names of runs made equal.

    Left out are timings (they lie in runs' ledgers), the content of Evidently's pages, and the
    pieces of the index.
    """
    runs = tuple(store.list_folders(layout.runs_folder()))
    return {
        info.key: _normalised(info.key, store.get(info.key).content, runs)
        for info in store.list("")
        if not info.key.startswith(_OF_RUNS) and not any(part in info.key for part in _NOT_COMPARED)
    }


def differences(wanted: dict[str, bytes], found: dict[str, bytes]) -> list[str]:
    """Return how what was found differs, a line an object."""
    lines = [f"missing: {key}" for key in sorted(wanted.keys() - found.keys())]
    lines += [f"extra: {key}" for key in sorted(found.keys() - wanted.keys())]
    both = sorted(wanted.keys() & found.keys())
    return lines + [f"different: {key}" for key in both if wanted[key] != found[key]]


def without_failures(found: dict[str, bytes]) -> dict[str, bytes]:
    """Return contents without what the audit trail tells of failures and recoveries."""
    return {key: content for key, content in found.items() if not _OF_FAILURES.search(key)}


def moves(store: ObjectStore) -> dict[str, int]:
    """Return tenant → how often its champion's pointer has moved."""
    champions = {tenant: read_champion(store, PRODUCT, tenant) for tenant in TENANTS}
    return {tenant: found.counter if found else 0 for tenant, found in champions.items()}


def predicted(store: ObjectStore) -> Counter[tuple[str, str, str]]:
    """Return how often each window of a tenant was predicted by a model."""
    return Counter(
        (tenant, name.window, name.model)
        for tenant in TENANTS
        for name in list_predicted(store, PRODUCT, tenant)
    )


def joined_index(store: ObjectStore) -> dict[str, TenantRecord]:
    """Return what a plan takes for known of each tenant, costs and markers of crashes aside."""
    found = survey(store, PRODUCT)
    records = {tenant: found.record(tenant) for tenant in TENANTS}
    return {tenant: replace(record, costs={}, marked=False) for tenant, record in records.items()}


def index_faults(
    store: ObjectStore, wanted: dict[str, TenantRecord], *, is_audited: bool = True
) -> list[str]:
    """Return where the index differs from an undisturbed fleet's, and from the tenants' folders.

    Args:
        store: The store.
        wanted: What the index of the undisturbed fleet knows.
        is_audited: Whether it must also know of the same recoveries.
    """
    found = joined_index(store)
    if not is_audited:
        found = {tenant: replace(record, cleared={}) for tenant, record in found.items()}
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
    marks = (find_at_work(store, info.key) for info in store.list(layout.at_work_folder(PRODUCT)))
    return [f"stale: {one.key}" for one in marks if one and worked_on & {*one.tenants}]


def _normalised(key: str, content: bytes, runs: tuple[str, ...]) -> bytes:
    if key.endswith(("/report.html", "/report.md")):
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
