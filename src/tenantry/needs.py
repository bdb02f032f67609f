"""Which stages a tenant's work needs: what the shard runner goes by, and so does the planner."""

from dataclasses import dataclass

from tenantry.ledger import STAGES, Action, Entry


@dataclass(frozen=True)
class Needs:
    """When a stage runs for a tenant.

    Attributes:
        actions: It runs when one of these is due.
        after: Stages that must have gone well before; one that was not needed is no obstacle.
    """

    actions: tuple[Action, ...]
    after: tuple[str, ...] = ()

    def met_by(self, entry: Entry) -> bool:
        """Say whether the stage is to run for `entry`."""
        if not any(entry.due_for(action) for action in self.actions):
            return False
        failed = {outcome.stage for outcome in entry.failures}
        return failed.isdisjoint(self.after)


_DATA: tuple[Action, ...] = ("train", "predict", "backfill", "monitor")

NEEDS: dict[str, Needs] = {
    "ingest": Needs((*_DATA, "publish")),
    "build_features": Needs(_DATA, ("ingest",)),
    "train": Needs(("train",), ("ingest", "build_features")),
    "promote": Needs(("train", "rollback", "retire"), ("ingest", "build_features", "train")),
    "predict": Needs(("predict", "backfill", "publish"), ("ingest", "build_features")),
    "monitor": Needs(("monitor",), ("ingest", "build_features")),
}
"""A tenant whose training failed is still predicted by the champion it has (decision 0004)."""


def stages_for(action: Action) -> tuple[str, ...]:
    """Return the stages that an action needs, in order; one that fails holds the action up."""
    return tuple(stage for stage in STAGES if action in NEEDS[stage].actions)
