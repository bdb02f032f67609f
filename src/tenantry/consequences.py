"""What a change of specs would do to a fleet: the plans of both, compared tenant by tenant."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from tenantry.errors import PlanError, SettingsError
from tenantry.ledger import Action, Due
from tenantry.plans import Planned, RunPlan
from tenantry.records import Record
from tenantry.request import PlanRequest
from tenantry.specs.changes import FieldChange, find_changes
from tenantry.specs.load import Fleet
from tenantry.stages.plan import plan_survey
from tenantry.surveys import Survey
from tenantry.text import counted
from tenantry.times import Moment

Kind = Literal["added", "removed", "retired", "paused", "resumed", "changed", "affected"]

KINDS: tuple[Kind, ...] = (
    "added",
    "removed",
    "retired",
    "paused",
    "resumed",
    "changed",
    "affected",
)
"""What a change is to a tenant; `affected` ones have the same spec and other work."""


class Totals(Record):
    """What a run would do in all.

    Attributes:
        trained: Tenants to be trained.
        predicted: Tenants to be predicted.
        windows: Windows to be predicted, over all tenants.
        judged: Windows to be judged, over all tenants.
        retired: Tenants to be retired.
        pooled: Residency zones whose pooled model is to be trained.
        shards: Shards.
        cpu_seconds: What it is estimated to take.
    """

    trained: int = 0
    predicted: int = 0
    windows: int = 0
    judged: int = 0
    retired: int = 0
    pooled: tuple[str, ...] = ()
    shards: int = 0
    cpu_seconds: float = 0.0


class Consequence(Record):
    """What a change is to one tenant.

    Attributes:
        tenant: Its name.
        kind: What became of its spec; `affected` when nothing did and other work is due.
        fields: What differs in its spec; empty for an added or a removed one.
        before: What would be due by the specs of before.
        after: What is due by those of now.
        note: What the plan of now says besides.
        cpu_before: CPU-seconds that what was due was estimated to take.
        cpu_after: The same of what is due.
    """

    tenant: str
    kind: Kind
    fields: tuple[FieldChange, ...] = ()
    before: tuple[Due, ...] = ()
    after: tuple[Due, ...] = ()
    note: str = ""
    cpu_before: float = 0.0
    cpu_after: float = 0.0

    @property
    def effect(self) -> str:
        """What it does to the next run, in words."""
        words = [*_effects(self.before, self.after)]
        return "; ".join(words) or (self.note if not self.after else "") or "nothing else is due"


class Consequences(Record):
    """What a change of specs would do to the next run of a fleet.

    Attributes:
        product: The product.
        revision: Of the specs of before, as it was asked for.
        commit: The same as a commit.
        as_of: The run's logical time.
        tenants: Whom it concerns, by name.
        fleet: How many tenants the specs of now declare.
        before: What a run would do by the specs of before.
        after: What it does by those of now.
        notes: What could not be compared, and why.
    """

    product: str
    revision: str
    commit: str
    as_of: Moment
    tenants: tuple[Consequence, ...] = ()
    fleet: int = 0
    before: Totals = Totals()
    after: Totals = Totals()
    notes: tuple[str, ...] = ()


def foresee(
    request: PlanRequest, before: Fleet | None, after: Fleet, found: Survey, *, of: tuple[str, str]
) -> Consequences:
    """Plan one run by the specs of before and by those of now, and compare; writes nothing.

    Args:
        request: What the run is asked to do.
        before: The specs of before; None where the product did not exist.
        after: Those of now.
        found: What the store holds.
        of: The revision of the specs of before, and its commit.

    Raises:
        PlanError: The specs of now, store and request contradict each other.
    """
    after = after.serving(request.region)
    now = plan_survey(request, after, found)
    was, note = None, "the product is new"
    if before is not None:
        try:
            before = before.serving(request.region)
            was, note = plan_survey(request, before, found), ""
        except (PlanError, SettingsError) as error:
            note = f"by the specs of before no run would start: {error}"
    return Consequences(
        product=after.product,
        revision=of[0],
        commit=of[1],
        as_of=request.as_of,
        tenants=compare_plans(was, now, before, after),
        fleet=len(after.specs),
        before=add_up(was),
        after=add_up(now),
        notes=(note,) if note else (),
    )


def compare_plans(
    before: RunPlan | None, after: RunPlan, old: Fleet | None, new: Fleet
) -> tuple[Consequence, ...]:
    """Return whom a change of specs concerns, by name: another spec, or other work.

    Args:
        before: The plan of a run by the specs of before.
        after: The plan of the same run by those of now.
        old: The specs of before, as the run's region sees them; None where there were none.
        new: Those of now.
    """
    changes = find_changes(old, new)
    plans = [made.tenants if made else {} for made in (before, after)]
    found = []
    for tenant in sorted({*changes, *plans[0], *plans[1]}):
        was, now = (plan.get(tenant, Planned()) for plan in plans)
        change = changes.get(tenant)
        if change is None and _work(was.due) == _work(now.due):
            continue
        found.append(
            Consequence(
                tenant=tenant,
                kind=change.kind if change else "affected",
                fields=change.fields if change else (),
                before=was.due,
                after=now.due,
                note=now.note,
                cpu_before=was.cpu_seconds if was.due else 0.0,
                cpu_after=now.cpu_seconds if now.due else 0.0,
            )
        )
    return tuple(found)


def add_up(made: RunPlan | None) -> Totals:
    """Return what a plan does in all."""
    if made is None:
        return Totals()
    due = [one for planned in made.tenants.values() for one in planned.due]
    predicted = [
        {window for one in planned.due if one.action in _PREDICTS for window in one.windows}
        for planned in made.tenants.values()
    ]
    return Totals(
        trained=sum(one.action == "train" for one in due),
        predicted=sum(bool(windows) for windows in predicted),
        windows=sum(map(len, predicted)),
        judged=sum(len(one.windows) for one in due if one.action == "monitor"),
        retired=sum(one.action == "retire" for one in due),
        pooled=tuple(sorted(made.pooled)),
        shards=len(made.shards),
        cpu_seconds=round(made.cpu_seconds, 2),
    )


_PREDICTS = ("predict", "backfill")


def _work(due: Iterable[Due]) -> list[Due]:
    """Return what is due without the reasons."""
    return [one.model_copy(update={"reason": ""}) for one in due]


def _effects(before: Iterable[Due], after: Iterable[Due]) -> Iterator[str]:
    old, new = ({one.action: one for one in due} for due in (before, after))
    for action in _WORDS:
        yield from _effect(action, old, new)


def _effect(action: Action, old: Mapping[Action, Due], new: Mapping[Action, Due]) -> Iterator[str]:
    was, now = old.get(action), new.get(action)
    verb = _WORDS[action]
    if now is None and was is not None:
        yield f"not {verb} any more" + (
            f" ({counted(len(was.windows), 'window')})" if was.windows else ""
        )
    elif now is not None and was is None:
        yield f"{verb}: {now.reason}"
    elif now is not None and was is not None:
        more = len({*now.windows} - {*was.windows})
        less = len({*was.windows} - {*now.windows})
        if more or less:
            counts = ((more, "more"), (less, "fewer"))
            said = ", ".join(f"{counted(n, 'window')} {word}" for n, word in counts if n)
            yield f"{verb}: {said}"
        elif now.reason != was.reason and action == "train":
            yield f"{verb} anyway: {now.reason}"


_WORDS: dict[Action, str] = {
    "retire": "retired",
    "rollback": "rolled back",
    "train": "trained",
    "predict": "predicted",
    "backfill": "predicted by backfill",
    "monitor": "judged",
    "publish": "published for servers",
}
