"""The record of a run's plan: every tenant of the run, its shard and what is due."""

from tenantry import layout
from tenantry.errors import ObjectMissingError
from tenantry.ledger import Action, Due
from tenantry.records import Record
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment


class Planned(Record):
    """What a run means to do for one tenant.

    Attributes:
        shard: The shard that does it; None when nothing is due.
        due: What is due, with reasons.
        note: Why nothing is due, or what else the plan has to say.
        region: The tenant's home region.
        rows: Rows expected, the measure of its cost.
    """

    shard: str | None = None
    due: tuple[Due, ...] = ()
    note: str = ""
    region: str = "default"
    rows: int = 0


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
    """

    run: str
    product: str
    title: str
    as_of: Moment
    region: str = ""
    shards: tuple[str, ...]
    tenants: dict[str, Planned]

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
