"""What a server is to answer with for a tenant, and which of two such entries counts."""

from typing import Literal

from pydantic import Field

from tenantry.champions import Champion
from tenantry.records import Record
from tenantry.times import Moment


class Trial(Record):
    """A challenger that is tried beside the champion.

    Attributes:
        version: The model.
        record: SHA-256 of its serving record.
        share: The share of requests, by a hash of the first row's key.
        mode: Whether it is scored after the answer, or answers that share.
    """

    version: str
    record: str
    share: float
    mode: Literal["shadow", "canary"]


class Entry(Record):
    """What a server is to answer with for one tenant.

    Attributes:
        version: The model that reigns.
        record: SHA-256 of its serving record.
        online: SHA-256 of the tenant's online features; empty where it needs none.
        spec: Digest of what the spec says of serving, by which a plan sees that it changed.
        published: The `as_of` of the run that published the record.
        as_of: Of the run that published the online features: nothing known later is in them.
        counter: Of the champion's pointer that it was made of: a later pointer counts more.
        pinned: Whether the champion is held.
        retired: Whether the tenant is archived: it is answered for no more.
        trial: The challenger that is tried; None without one.
    """

    version: str
    record: str
    online: str = ""
    spec: str
    published: Moment
    as_of: Moment
    counter: int
    pinned: bool = False
    retired: bool = False
    trial: Trial | None = None

    def tells_of(self, champion: Champion) -> bool:
        """Say whether servers know of a champion what concerns them, however often it was written.

        Marks of models that reigned before change a pointer, and nothing for servers.
        """
        told = self.version, self.pinned
        return told == (champion.current.version, champion.pin is not None)

    def after(self, other: "Entry | None") -> "Entry":
        """Return what counts of this entry, written after another one of the same tenant.

        Which model answers says the later pointer, of one pointer the later run; what the tenant's
        past is says the later run that published it.
        """
        if other is None:
            return self
        is_later = (self.counter, self.published) >= (other.counter, other.published)
        leads = self if is_later else other
        has_later = (bool(self.online), self.as_of) >= (bool(other.online), other.as_of)
        fresh = self if has_later else other
        return leads.model_copy(update={"online": fresh.online, "as_of": fresh.as_of})


class Bucket(Record):
    """The entries of the tenants whose names hash to one bucket.

    Equal entries are equal bytes, and so have one tag: whoever knows the tag knows them.

    Attributes:
        tenants: Tenant → its entry.
    """

    tenants: dict[str, Entry] = Field(default_factory=dict)
