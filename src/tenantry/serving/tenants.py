"""What a server knows of a tenant, and what loads its models."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import copy
from typing import Protocol

from tenantry.champions import Reign
from tenantry.serving.entries import Entry
from tenantry.serving.limits import Allowance, Limits
from tenantry.serving.loading import Loaded


class Loads(Protocol):
    """What loads models, on other threads than the event loop's."""

    def load(self, product: str, tenant: str, entry: Entry) -> Loaded:
        """Load what an entry says."""
        ...

    def load_older(self, product: str, tenant: str, entry: Entry, reign: Reign) -> Loaded:
        """Load a version that reigned before; the entry names it."""
        ...

    def find_older(self, product: str, tenant: str) -> Mapping[str, Reign]:
        """Return the versions that reigned and are still there, with their reigns."""
        ...


class Tenant:
    """What a server knows of one tenant, or of an older version of its model.

    Attributes:
        reign: Of an older version: when it reigned; None of what reigns.
        older: The older versions by name; None before anybody asked for one.
        is_gone: Whether nobody is to be answered by it any more.
    """

    __slots__ = (
        "allowance",
        "counted",
        "entry",
        "failed",
        "is_gone",
        "loaded",
        "name",
        "older",
        "product",
        "reign",
        "requests",
        "tenant",
    )

    def __init__(self, product: str, tenant: str, entry: Entry, limits: Limits) -> None:
        self.product = product
        self.tenant = tenant
        self.name = f"{product}.{tenant}"
        self.entry = entry
        self.allowance = Allowance(limits)
        self.loaded: Loaded | None = None
        self.counted = 0
        self.failed = -math.inf
        self.requests = 0
        self.reign: Reign | None = None
        self.older: dict[str, Tenant] | None = None
        self.is_gone = False

    def at(self, reign: Reign) -> Tenant:
        """Return what is to be known of an older version: by the entry of today, but for it."""
        named = {"version": reign.version, "trial": None}
        older = copy(self)
        older.entry = self.entry.model_copy(update=named)
        older.name = f"{self.name}/versions/{reign.version}"
        older.loaded, older.counted, older.failed = None, 0, -math.inf
        older.reign, older.older = reign, None
        return older
