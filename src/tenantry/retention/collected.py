"""The record of a collection: what retention removed, and when. Holds no data."""

from collections.abc import Iterable, Iterator

from tenantry import layout
from tenantry.digests import digest
from tenantry.records import Record
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment


class Collection(Record):
    """What a collection set out to remove; written before anything is.

    Attributes:
        product: The product.
        tenant: The tenant; empty for pooled models and runs.
        as_of: The logical time from which ages were counted.
        when: When, by the clock on the wall.
        keys: What went; of a run its folder. Feature tables are only counted.
        features: Feature tables that went.
        size: Bytes of all of it.
    """

    product: str
    tenant: str
    as_of: Moment
    when: Moment
    keys: tuple[str, ...]
    features: int = 0
    size: int

    @property
    def name(self) -> str:
        """The record's name: a digest of what went."""
        return digest([self.as_of.isoformat(), self.keys, self.features])[:16]


def write_collection(store: ObjectStore, record: Collection) -> str:
    """Write the record of a collection and return its key."""
    key = layout.collection(record.product, record.tenant, record.name)
    store.put(key, record.to_json())
    return key


def read_collections(store: ObjectStore, product: str, tenant: str = "") -> Iterator[Collection]:
    """Yield the collections of a tenant, or those of a product's pooled models and runs.

    Records that cannot be read are passed over.
    """
    for info in store.list(layout.collections_folder(product, tenant)):
        try:
            yield Collection.from_json(store.get(info.key).content, info.key)
        except ValueError:
            continue


def collected_keys(records: Iterable[Collection]) -> frozenset[str]:
    """Return all keys that some collections removed, besides feature tables."""
    return frozenset(key for record in records for key in record.keys)
