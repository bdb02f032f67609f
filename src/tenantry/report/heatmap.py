"""The fleet's judgements as a map of tenants and weeks: the worst in full, the rest in short."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tenantry.monitoring.fleet_drift import EVENT_SHARE, EVENT_TENANTS
from tenantry.monitoring.history import Judged, JudgementStatus
from tenantry.monitoring.judgements import IN_WORDS, Judgement

WEEKS = 26
"""Weeks that are shown, the latest."""

WORST = 50
"""Tenants that are shown in full, the worst; the others are found by search."""

SIGNS: dict[JudgementStatus, str] = {
    "decayed": "✕",
    "drifted": "~",
    "no_labels": "?",
    "no_promise": "–",
    "no_rows": "0",
    "too_small": "…",
    "ok": "✓",
    "in_sample": "○",
}
"""A week's sign, the worst status first: a week is as bad as its worst window."""

_RANK = {status: rank for rank, status in enumerate(SIGNS)}
_CODES = {status: str(rank) for status, rank in _RANK.items()}
_RECENT = 4
"""Windows whose harm decides the order of tenants of equal standing."""
_OLD = timedelta(weeks=4)
"""Last words that are older than this and than `_RECENT` windows no longer count as trouble."""


@dataclass(frozen=True)
class Week:
    """A cell: a tenant's week. Empty without a judgement."""

    status: str
    sign: str
    words: str


@dataclass(frozen=True)
class HeatRow:
    """A tenant's weeks.

    Attributes:
        tenant: Its name.
        window: Its latest judged window, where its page lies.
        weeks: One cell a week.
    """

    tenant: str
    window: str
    weeks: tuple[Week, ...]


@dataclass(frozen=True)
class Total:
    """What a week was like for the whole fleet.

    Attributes:
        judged: Tenants that were judged.
        decayed: Those worse than promised.
        drifted: Those that drifted, and were not worse than promised.
    """

    judged: int
    decayed: int
    drifted: int


@dataclass(frozen=True)
class HeatMap:
    """Tenants and weeks.

    Attributes:
        weeks: The Mondays (UTC).
        rows: The worst tenants.
        others: All tenants as ``name window codes``, the worst first, for the search; a code is a
            digit, the rank of a week's status in `SIGNS`, or a dot.
        totals: The whole fleet, week by week.
        events: What many tenants share, week by week: empty, or streams in words.
        tenants: How many tenants were ever judged.
    """

    weeks: tuple[date, ...]
    rows: tuple[HeatRow, ...]
    others: tuple[str, ...]
    totals: tuple[Total, ...]
    events: tuple[str, ...]
    tenants: int


def map_weeks(judgements: Iterable[Judgement]) -> HeatMap | None:
    """Lay out the fleet's weeks by the last judgement of each tenant and its history.

    Args:
        judgements: One a tenant, the last one.

    Returns:
        None when nothing was ever judged.
    """
    pasts = {one.tenant: (*one.history, one.in_short) for one in judgements}
    if not pasts:
        return None
    last = max(_monday(past[-1]) for past in pasts.values())
    first = min(_monday(past[0]) for past in pasts.values())
    number = min(WEEKS, (last - first).days // 7 + 1)
    weeks = tuple(last - timedelta(days=7 * n) for n in reversed(range(number)))
    by_week = {tenant: _worst_by_week(past) for tenant, past in pasts.items()}
    latest = max(past[-1].span.end for past in pasts.values())
    order = sorted(pasts, key=lambda tenant: _standing(tenant, pasts[tenant], latest))
    return HeatMap(
        weeks=weeks,
        rows=tuple(_row(name, pasts[name], by_week[name], weeks) for name in order[:WORST]),
        others=tuple(_line(name, pasts[name], by_week[name], weeks) for name in order),
        totals=tuple(_total([found.get(week) for found in by_week.values()]) for week in weeks),
        events=_events(pasts.values(), weeks),
        tenants=len(pasts),
    )


def _monday(one: Judged) -> date:
    day = one.span.start.date()
    return day - timedelta(days=day.weekday())


def _worst_by_week(past: Iterable[Judged]) -> dict[date, JudgementStatus]:
    found: dict[date, JudgementStatus] = {}
    for one in past:
        week = _monday(one)
        if week not in found or _RANK[one.status] < _RANK[found[week]]:
            found[week] = one.status
    return found


def _standing(
    tenant: str, past: Sequence[Judged], latest: datetime
) -> tuple[bool, int, float, int, str]:
    """Return what tenants are ordered by: the last word, what it cost lately, how often.

    A tenant that was last judged long before the fleet's latest window comes after all others.
    """
    last = past[-1].span
    is_old = latest - last.end > max(_OLD, _RECENT * (last.end - last.start))
    harm = sum(max(one.harm, 0.0) for one in past[-_RECENT:] if one.status == "decayed")
    bad = sum(one.status in ("decayed", "drifted") for one in past)
    return is_old, _RANK[past[-1].status], -harm, -bad, tenant


def _row(
    tenant: str,
    past: Sequence[Judged],
    found: Mapping[date, JudgementStatus],
    weeks: Iterable[date],
) -> HeatRow:
    return HeatRow(tenant, past[-1].window, tuple(_cell(found.get(week)) for week in weeks))


def _cell(status: JudgementStatus | None) -> Week:
    return Week(status, SIGNS[status], IN_WORDS[status]) if status else Week("", "", "")


def _line(
    tenant: str,
    past: Sequence[Judged],
    found: Mapping[date, JudgementStatus],
    weeks: Iterable[date],
) -> str:
    codes = "".join(_CODES[found[week]] if week in found else "." for week in weeks)
    return f"{tenant} {past[-1].window} {codes}"


def _total(found: Iterable[JudgementStatus | None]) -> Total:
    counts = Counter(found)
    judged = sum(count for status, count in counts.items() if status)
    return Total(judged, counts["decayed"], counts["drifted"])


def _events(pasts: Iterable[Sequence[Judged]], weeks: Sequence[date]) -> tuple[str, ...]:
    """Say week by week which streams drifted in so many tenants that it is one event."""
    judged: Counter[datetime] = Counter()
    drifted: dict[datetime, Counter[str]] = defaultdict(Counter)
    for past in pasts:
        for one in past:
            judged[one.span.start] += 1
            drifted[one.span.start].update(one.drifted)
    found: dict[date, list[str]] = defaultdict(list)
    for start, streams in sorted(drifted.items()):
        for name, count in streams.most_common():
            if count >= max(EVENT_TENANTS, EVENT_SHARE * judged[start]):
                week = start.date() - timedelta(days=start.weekday())
                found[week].append(f"{name} in {count:,} of {judged[start]:,}")
    return tuple("; ".join(found[week]) for week in weeks)
