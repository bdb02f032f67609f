"""STUB until the index lands."""

from dataclasses import dataclass
from datetime import datetime

from tenantry.records import Record
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment


class Opening(Record):
    """Stub."""

    product: str
    run: str
    shard: str
    as_of: Moment | None = None
    tenants: tuple[str, ...]

    @property
    def key(self) -> str:
        """Stub."""
        return f"products/{self.product}/open/{self.run}/{self.shard}.json"


@dataclass(frozen=True)
class Found:
    """Stub."""

    opening: Opening
    modified: datetime


def list_openings(store: ObjectStore, product: str, run: str = "") -> tuple[Found, ...]:
    """Stub."""
    infos = store.list(f"products/{product}/open/" + (f"{run}/" if run else ""))
    return tuple(
        Found(Opening.from_json(store.get(info.key).content, info.key), info.modified)
        for info in infos
    )
