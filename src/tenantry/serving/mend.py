"""Building the change index anew from the tenants' folders, and comparing it with the pointers.

For a store that was restored, copied or mended by hand; else the next run mends what differs.
"""

import logging
from collections.abc import Iterator

from tenantry import layout
from tenantry.champions import Champion
from tenantry.digests import sha256
from tenantry.errors import ModelFileError, StoreError, StoreUnavailableError
from tenantry.models.pooled import read_usable_champion
from tenantry.scalars import moment_of
from tenantry.serving.entries import Entry
from tenantry.serving.follow import follow
from tenantry.serving.index import read_entries, remove_entries, write_entries
from tenantry.serving.records import ServingRecord
from tenantry.serving.state import State
from tenantry.store.contract import ObjectStore

LOG = logging.getLogger(__name__)


def find_unserved(store: ObjectStore, product: str) -> dict[str, str]:
    """Compare the change index with what was published and with the champions' pointers.

    Returns:
        Tenant → what servers are told differently, in words; empty when all is right.
    """
    entries = read_entries(store, product)
    differences = {}
    for tenant in sorted({*entries, *_published(store, product)}):
        if words := _find_difference(store, product, tenant, entries.get(tenant)):
            differences[tenant] = words
    return differences


def rebuild_served(store: ObjectStore, product: str) -> None:
    """Mend what `find_unserved` finds: by what each tenant's folder holds of it.

    What cannot be made of it, because nothing of the kind was published, the next run publishes.
    """
    for tenant in find_unserved(store, product):
        try:
            _rebuild_one(store, product, tenant)
        except StoreUnavailableError:
            raise
        except (StoreError, ModelFileError, ValueError) as error:
            LOG.warning("servers are told of %s/%s by the next run: %s", product, tenant, error)


def _rebuild_one(store: ObjectStore, product: str, tenant: str) -> None:
    champion = read_usable_champion(store, product, tenant)
    if champion is None:
        remove_entries(store, product, [tenant])
        return
    found = _newest(store, product, tenant, champion)
    if found is not None and tenant not in read_entries(store, product):
        write_entries(store, product, {tenant: found})
    follow(store, product, tenant, champion)


def _find_difference(store: ObjectStore, product: str, tenant: str, entry: Entry | None) -> str:
    try:
        return _difference(entry, read_usable_champion(store, product, tenant))
    except ValueError as error:  # its pointer is damaged, and servers stay with what they know
        return str(error)


def _difference(entry: Entry | None, champion: Champion | None) -> str:
    if champion is None:
        return "no model reigns, and servers answer with one" if entry else ""
    if entry is None:
        return "servers are not told of it"
    if not entry.tells_of(champion):
        return "servers are told of an earlier state of its champion"
    return ""


def _published(store: ObjectStore, product: str) -> Iterator[str]:
    """Yield the tenants of which anything was published."""
    for tenant in store.list_folders(layout.product_folder(product)):
        if next(iter(store.list(layout.serving_records_folder(product, tenant))), None):
            yield tenant


def _newest(store: ObjectStore, product: str, tenant: str, champion: Champion) -> Entry | None:
    """Return an entry of what was published last, as of before the pointer's last change."""
    infos = sorted(
        store.list(layout.serving_records_folder(product, tenant)), key=lambda one: one.modified
    )
    records = [one.key for one in infos if one.key.endswith(".json")]
    states = [one.key for one in infos if one.key.endswith(".online")]
    if not (records and states):
        return None
    content, past = store.get(records[-1]).content, store.get(states[-1]).content
    record, as_of = (
        ServingRecord.from_json(content, records[-1]),
        moment_of(State.from_bytes(past).as_of),
    )
    return Entry(
        version=record.version,
        record=sha256(content),
        online=sha256(past),
        spec=record.spec,
        published=as_of,
        as_of=as_of,
        counter=champion.counter - (record.version != champion.current.version),
        pinned=champion.pin is not None,
    )
