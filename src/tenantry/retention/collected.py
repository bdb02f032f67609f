"""The record of a collection: what retention removed of a tenant, and when. Holds no data."""

from tenantry import layout
from tenantry.digests import digest
from tenantry.places import parse_key
from tenantry.records import Record
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment


class Collection(Record):
    """What a collection set out to remove; written before anything is.

    Attributes:
        product: The product.
        tenant: The tenant.
        as_of: The logical time from which ages were counted.
        when: When, by the clock on the wall.
        keys: What went, below the tenant's folder; feature tables are only counted.
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


def collected_keys(records: dict[str, Collection]) -> dict[str, Collection]:
    """Return key → the collection that removed it, of some collections by key."""
    found: dict[str, Collection] = {}
    for record in records.values():
        folder = layout.tenant_folder(record.product, record.tenant)
        found |= {folder + key: record for key in record.keys if parse_key(folder + key)}
    return found
