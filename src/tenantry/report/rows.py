"""The fleet as a page shows it: every figure as text beside the value it is sorted by."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from tenantry.bill import Charge
from tenantry.champions import Champion, Reign, tell_orders
from tenantry.figures import TITLES, figure
from tenantry.fleet import FleetState
from tenantry.ledger import Action, Outcome
from tenantry.members import STATES, Member
from tenantry.monitoring.judgements import IN_WORDS, Judgement
from tenantry.report.freshness import tell_promises
from tenantry.report.summary import explain_unknown, mark_orders, stage_costs
from tenantry.report.words import day, span
from tenantry.times import Window

_NONE = "–"

_MAX_LINKS = 6
"""Objects of a stage that are linked; the rest is counted."""

_NAMED = 20
"""Tenants that a reason names; the others are counted."""

_TITLES = {
    "report.html": "Evidently report",
    "page.html": "how it fares",
    "insights.html": "insights",
    "manifest.json": "snapshot",
    "quarantine.parquet": "rows set aside",
    "features": "feature table",
    "model.skops": "model",
    "packed.bin": "model as arrays",
    "card.json": "card",
    "card.html": "model card",
    "metrics.json": "curves",
    "evaluation.parquet": "holdout",
    "events": "event",
}
"""Files, or the folders they lie in, as links call them."""

_PLAIN = ("receipt.json", "judgement.json", "insights.json")
"""Files that a link calls by their window alone."""


@dataclass(frozen=True)
class Cell:
    """A figure: how it reads, and what it is sorted by."""

    text: str
    value: float | str


@dataclass(frozen=True)
class Link:
    """An object in the store."""

    key: str
    text: str


@dataclass(frozen=True)
class Step:
    """What a stage did for a tenant."""

    stage: str
    status: str
    message: str
    seconds: str
    links: tuple[Link, ...]
    more: int


@dataclass(frozen=True)
class Band:
    """The realised quality of a window against its promise, as positions in percent."""

    low: float
    high: float
    realised: float
    promised: float | None
    text: str


@dataclass(frozen=True)
class Row:
    """A tenant on the page."""

    member: Member
    state: str
    champion: Reign | None
    is_new: bool
    since: str
    score: Cell
    metric: str
    windows: Cell
    rows: Cell
    judgement: Cell
    seconds: Cell
    steps: tuple[Step, ...]
    band: Band | None
    unknown: str
    orders: tuple[str, ...]
    mark: str
    promises: tuple[str, ...]
    charged: str = ""


@dataclass(frozen=True)
class Reason:
    """Tenants for which the same was due for the same reason."""

    action: Action
    reason: str
    tenants: tuple[str, ...]
    windows: int

    @property
    def named(self) -> str:
        """The tenants by name, a few; the others counted."""
        more = len(self.tenants) - _NAMED
        few = ", ".join(self.tenants[:_NAMED])
        return f"{few} and {more:,} more" if more > 0 else few


@dataclass(frozen=True)
class Spent:
    """What a stage cost."""

    stage: str
    seconds: float
    share: float


def make_row(member: Member, as_of: datetime | None, charge: Charge | None = None) -> Row:
    """Put a tenant into words and figures, its champion as of the run."""
    champion = _champion(member, as_of)
    reign = champion.current if champion else None
    origin = champion.origin(reign) if champion and reign else None
    judgement = member.judgement
    return Row(
        member=member,
        state=STATES[member.state],
        champion=reign,
        is_new=bool(member.fact("promote", "promoted")),
        since=day(reign.since) if reign else "",
        score=_score(origin),
        metric=_metric(origin),
        windows=_count(member, "windows"),
        rows=_count(member, "rows"),
        judgement=_judgement(judgement),
        seconds=_seconds(charge.cpu_seconds if charge else member.cpu_seconds),
        charged=_charged(charge) if charge else "",
        steps=tuple(_step(outcome) for outcome in member.outcomes),
        band=_band(judgement) if judgement else None,
        unknown=explain_unknown(member) if member.unfinished else "",
        orders=_orders(champion),
        mark=mark_orders(champion) if champion else "",
        promises=tuple(tell_promises(member)),
    )


def _seconds(seconds: float) -> Cell:
    return Cell(f"{seconds:,.1f}", seconds)


def _charged(charge: Charge) -> str:
    """Say what a tenant's CPU seconds are made of, and what it read and wrote."""
    return (
        f"{charge.own_cpu_seconds:,.1f} s own work, {charge.shared_cpu_seconds:,.1f} s its part of "
        f"what is done for all; {charge.share:.1%} of the run; "
        f"{charge.bytes_read / 1024:,.0f} KiB read, {charge.bytes_written / 1024:,.0f} written"
    )


def group_reasons(state: FleetState) -> tuple[Reason, ...]:
    """Group what was due by action and reason, in the order of the flow."""
    tenants: dict[tuple[Action, str], list[str]] = defaultdict(list)
    windows: dict[tuple[Action, str], int] = defaultdict(int)
    for member in state.members:
        for due in member.due:
            tenants[due.action, due.reason].append(member.tenant)
            windows[due.action, due.reason] += len(due.windows)
    order = ("train", "predict", "backfill", "monitor", "rollback", "retire", "publish")
    found = sorted(tenants, key=lambda pair: (order.index(pair[0]), -len(tenants[pair]), pair[1]))
    return tuple(Reason(*pair, tuple(tenants[pair]), windows[pair]) for pair in found)


def split_costs(state: FleetState) -> tuple[Spent, ...]:
    """Return where the CPU went, by stage; shares are of the dearest stage."""
    costs = stage_costs(state)
    dearest = max(costs.values(), default=0.0) or 1.0
    return tuple(Spent(stage, spent, spent / dearest) for stage, spent in costs.items())


def _champion(member: Member, as_of: datetime | None) -> Champion | None:
    if member.champion is None or as_of is None:
        return member.champion
    return member.champion.until(as_of)


def _orders(champion: Champion | None) -> tuple[str, ...]:
    """Return the orders that hold, save what the reign's own sentence says."""
    if champion is None:
        return ()
    return tuple(
        words for words in tell_orders(champion) if not words.endswith(champion.current.gate)
    )


def _score(reign: Reign | None) -> Cell:
    """Return the score by which the reign's model was crowned, where it was compared at all."""
    evidence = reign.evidence if reign else {}
    is_challenger = reign is not None and evidence.get("challenger") in (None, reign.version)
    score = evidence.get("challenger_score" if is_challenger else "rival_score")
    return Cell(figure(score), score) if isinstance(score, float) else Cell(_NONE, "")


def _metric(reign: Reign | None) -> str:
    metric = str(reign.evidence.get("metric", "")) if reign else ""
    return TITLES.get(metric, metric)


def _count(member: Member, name: str) -> Cell:
    number = member.count("predict", name)
    return Cell(f"{number:,}" if member.fact("predict", name) is not None else _NONE, number)


def _judgement(judgement: Judgement | None) -> Cell:
    return Cell(IN_WORDS[judgement.status], judgement.status) if judgement else Cell(_NONE, "")


def _step(outcome: Outcome) -> Step:
    return Step(
        stage=outcome.stage,
        status=outcome.status.replace("_", " "),
        message=outcome.message,
        seconds=f"{outcome.cost.cpu_seconds:,.1f} s",
        links=tuple(Link(key, _name(key)) for key in outcome.keys[:_MAX_LINKS]),
        more=max(len(outcome.keys) - _MAX_LINKS, 0),
    )


def _name(key: str) -> str:
    """Name an object by its window and what it is, as far as its stage does not tell already."""
    *folders, file = key.split("/")
    kind = _TITLES.get(file) or _TITLES.get(folders[-1] if folders else "") or file
    windows = [words for words in map(_window, folders) if words]
    if not windows:
        return kind
    return windows[0] if file in _PLAIN else f"{kind} of {windows[0]}"


@lru_cache(maxsize=1 << 10)  # tenants' keys have many parts, and few different windows
def _window(part: str) -> str:
    try:
        return span(Window.parse(part))
    except ValueError:
        return ""


def _band(judgement: Judgement) -> Band | None:
    quality = judgement.quality
    if quality is None:
        return None
    promised = quality.promised
    marks = [quality.low, quality.high, *([promised] if promised is not None else [])]
    low, high = min(marks), max(marks)
    room = (high - low) * 0.15 or 1.0
    width = high - low + 2 * room

    def place(value: float) -> float:
        return round(100 * (value - low + room) / width, 2)

    text = (
        f"{TITLES[quality.metric]} {figure(quality.realised)} realised, "
        f"{figure(quality.low)} to {figure(quality.high)}"
    )
    return Band(
        low=place(quality.low),
        high=place(quality.high),
        realised=place(quality.realised),
        promised=place(promised) if promised is not None else None,
        text=f"{text}; {figure(promised)} promised" if promised is not None else text,
    )
