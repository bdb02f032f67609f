"""What a stage is given for one tenant, and what it gives back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from tenantry.ledger import Entry, Scalar, Status
from tenantry.models.card import PooledCard, read_pooled_card
from tenantry.sources.connections import Connections
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore


@dataclass(frozen=True)
class Job:
    """One tenant in one stage of one run; all that the stage may know.

    Attributes:
        run: The run's id.
        as_of: The run's logical time; nothing later may be read.
        spec: The tenant's spec, as frozen by the plan.
        entry: The tenant's ledger entry: what is due and what earlier stages did.
        store: The object store.
        connections: Where sources lie.
        pooled_version: The pooled model of the tenant's zone, or None.
        code_version: What model cards record.
        has_erasures: Whether rows of the tenant may have been erased, which it must not read again.
        fleet: How many tenants the fleet has.
    """

    run: str
    as_of: datetime
    spec: Spec
    entry: Entry
    store: ObjectStore
    connections: Connections
    pooled_version: str | None = None
    code_version: str = ""
    has_erasures: bool = True
    fleet: int = 0

    @property
    def product(self) -> str:
        """The product's name."""
        return self.spec.product

    @property
    def tenant(self) -> str:
        """The tenant's name."""
        return self.spec.tenant

    def read_pooled_card(self) -> PooledCard | None:
        """Read the card of the zone's pooled model; None when there is none for this tenant.

        Raises:
            ModelFileError: It is missing, or it is no card.
        """
        if self.pooled_version is None or not self.spec.pooling.receive:
            return None
        return read_pooled_card(
            self.store, self.product, self.spec.residency.zone, self.pooled_version
        )


@dataclass(frozen=True)
class Assignment:
    """All that a worker of a nursery is given.

    Attributes:
        stage: The stage.
        tenant: Whose work it is.
        make_job: Makes the job of a `spec`; its store has credentials that reach no other tenant.
        spec: The tenant's; None where the nursery has told its workers.
        memory_mib: Memory that it may hold, MiB.
    """

    stage: str
    tenant: str
    make_job: Callable[..., Job]
    spec: Spec | None
    memory_mib: int

    def job(self, specs: Mapping[str, Spec]) -> Job:
        """Return the job.

        Args:
            specs: Tenant → what the nursery has told.
        """
        return self.make_job(spec=self.spec or specs[self.tenant])


@dataclass(frozen=True)
class Result:
    """What a stage did for a tenant; the shard runner adds what it cost and makes the `Outcome`.

    Attributes:
        message: One sentence for people; never quotes rows.
        status: `done` or `fell_back`.
        facts: For later stages and the report.
        keys: Objects left in the store.
    """

    message: str = ""
    status: Status = "done"
    facts: dict[str, Scalar] = field(default_factory=dict)
    keys: tuple[str, ...] = ()


Stage = Callable[[Job], Result]
"""A stage: raises a `TenantryError` (or anything) when this tenant fails."""
