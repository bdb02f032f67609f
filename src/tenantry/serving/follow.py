"""The change index after a person moved a champion: servers follow within seconds.

What cannot be said at once, because a record is gone or the process dies, the next run says.
"""

import logging

from tenantry.champions import Champion, Reign
from tenantry.errors import ModelFileError, StoreError, StoreUnavailableError
from tenantry.serving.entries import Entry
from tenantry.serving.index import read_entry, write_entries
from tenantry.serving.records import read_record, write_record
from tenantry.store.contract import ObjectStore

LOG = logging.getLogger(__name__)


def follow(store: ObjectStore, product: str, tenant: str, champion: Champion) -> Entry | None:
    """Let servers answer with a champion from now on; nothing happens where none is served.

    A challenger that was tried beside another champion is tried no more.

    Args:
        store: The store, with credentials that reach the index.
        product: The product.
        tenant: The tenant.
        champion: Its champion as stored.

    Returns:
        The entry as it is now meant to be; None where the tenant is not served, or where the next
        run has to say it.

    Raises:
        StoreUnavailableError: The store does not answer.
    """
    entry = read_entry(store, product, tenant)
    if entry is None or entry.counter >= champion.counter:
        return entry
    try:
        record = _record(store, product, tenant, entry=entry, reign=champion.current)
    except StoreUnavailableError:
        raise
    except (StoreError, ModelFileError, ValueError) as error:
        LOG.warning("servers follow %s/%s with the next run: %s", product, tenant, error)
        return None
    news = {
        "version": champion.current.version,
        "record": record,
        "counter": champion.counter,
        "pinned": champion.pin is not None,
        "trial": entry.trial if entry.version == champion.current.version else None,
    }
    moved = entry.model_copy(update=news)
    write_entries(store, product, {tenant: moved})
    return moved


def _record(store: ObjectStore, product: str, tenant: str, *, entry: Entry, reign: Reign) -> str:
    """Write the record of another version, by the spec as it was published last."""
    if entry.version == reign.version:
        return entry.record
    from tenantry.serving.versions import record_of  # pyarrow, which commands begin without

    record = read_record(store, product, tenant, entry.record)
    return write_record(store, record_of(store, record, reign))
