"""The record of a run's plan: every tenant of the run, its shard and what is due."""

from pydantic import Field

from tenantry import layout
from tenantry.errors import ObjectMissingError
from tenantry.ledger import Action, Due
from tenantry.promises import Promises
from tenantry.records import Record
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment


class Planned(Record):
    """What a run means to do for one tenant.

    Attributes:
        shard: The shard that does it; None when nothing is due.
        due: What is due, with reasons.
        note: Why nothing is due, or what else the plan has to say.
        waiting: What stays due for a later run because this one has no room; the note says why.
        held: What waits because it failed too often lately; the note says until when.
        region: The tenant's home region.
        rows: Its labelled rows when it was last trained; 0 when it never was.
        cpu_seconds: What is due is estimated to take.
        promised: By when the oldest that is due was to be done; None when nothing is.
        promises: How its promises were kept until the run; None without a model, or paused.
    """

    shard: str | None = None
    due: tuple[Due, ...] = ()
    note: str = ""
    waiting: tuple[Due, ...] = ()
    held: tuple[Action, ...] = ()
    region: str = "default"
    rows: int = 0
    cpu_seconds: float = 0.0
    promised: Moment | None = None
    promises: Promises | None = None

    @property
    def waits(self) -> bool:
        """Whether there is something to do that this run does not do."""
        return bool(self.waiting or self.held)


class RunPlan(Record):
    """A run's plan, whole.

    Attributes:
        run: The run's id.
        product: The product.
        title: The product in words.
        as_of: The run's logical time.
        region: The one region that the run serves; empty without `regions.yaml`.
        shards: Names of the shards, one ParallelFor iteration each.
        tenants: By name, those of this run (filter and partition applied).
        pooled: Residency zone → why its pooled model is to be trained.
        pooled_cpu_seconds: What that is estimated to take.
        cpu_budget: CPU-seconds that the run may take, by estimate; 0 for all it takes.
        fleet: How many tenants the specs declare for the region, filter and partition aside.
    """

    run: str
    product: str
    title: str
    as_of: Moment
    region: str = ""
    shards: tuple[str, ...]
    tenants: dict[str, Planned]
    pooled: dict[str, str] = Field(default_factory=dict)
    pooled_cpu_seconds: float = 0.0
    cpu_budget: float = 0.0
    fleet: int = 0

    @property
    def cpu_seconds(self) -> float:
        """What the run is estimated to take."""
        tenants = sum(planned.cpu_seconds for planned in self.tenants.values() if planned.due)
        return self.pooled_cpu_seconds + tenants

    @property
    def needs_pooled(self) -> bool:
        """Whether `train_pooled` has something to do: to train, or to say what is in use."""
        return bool(self.pooled) or self.is_due("train")

    @property
    def where(self) -> str:
        """Which region it serves, in words behind a title; empty where there is one store."""
        return f" in region {self.region}" if self.region else ""

    def is_due(self, action: Action) -> bool:
        """Say whether any tenant is due for `action`."""
        return any(due.action == action for planned in self.tenants.values() for due in planned.due)


def read_plan(store: ObjectStore, run: str) -> RunPlan | None:
    """Read a run's plan; None when the run wrote none (nothing was due, or plan did not finish)."""
    key = layout.plan(run)
    try:
        content = store.get(key).content
    except ObjectMissingError:
        return None
    return RunPlan.from_json(content, key)
