"""What `product.yaml` holds: the product's own fields and the defaults of all its tenants."""

from pydantic import Field

from tenantry.specs.model import Declared
from tenantry.specs.parts import DnsLabel, Share

BOUND = ("product", "tenant", "sources", "row_filter", "pooled")
"""What no product may let its tenants set: it says whose data they see, and what all share."""


class Product(Declared):
    """A product: one prediction feature, and what its tenants have in common."""

    product: DnsLabel
    """The prediction feature's name; the folder's name too."""
    extends: DnsLabel | None = None
    """Another product whose file is taken over; this one then holds what differs, and its own
    title. Maps merge, lists replace, null removes."""
    title: str = Field(min_length=1, max_length=100)
    """The product in words, for pages."""
    description: str = Field(default="", max_length=500)
    """For people."""
    tenants_may_set: tuple[str, ...] = ()
    """What a tenant's file may change, as dotted paths; `gate` allows all below it. Sources, the
    row filter and the pooled model can never be among them."""
    retire_max_share: Share = 0.2
    """More tenants than this share retired at once are taken for a mistake, and refused."""
