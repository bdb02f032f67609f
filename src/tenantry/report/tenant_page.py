"""How a tenant fares, as one self-contained page: quality over time, drift, what was done."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tenantry.champions import Reign
from tenantry.figures import TITLES, figure
from tenantry.monitoring.history import Judged
from tenantry.monitoring.judgements import IN_WORDS, Judgement, Shift
from tenantry.monitoring.memory import Feed
from tenantry.reasons import title
from tenantry.report.heatmap import SIGNS
from tenantry.report.pages import Page
from tenantry.report.tenant_facts import TenantFacts
from tenantry.report.timelines import NARROW, WIDE, draw_quality, draw_volumes
from tenantry.report.words import day, span
from tenantry.specs.model import Spec

_PAGE = Page("tenant.html", ("page.css", "monitoring.css", "tenant.css"), span=span, day=day)

_OFTEN = 12
"""Streams of which the page shows when they drifted, those that did most often."""

_COLUMNS = 26
"""Windows in that table, the latest."""

_DEEDS = 20
"""Actions that are told, the latest."""

_CHANGED = 0.005
"""A share of missing values that changed by less is not told."""

_TONES = {"ok": "good", "decayed": "bad", "drifted": "fair"}
_PLAIN = {
    "label": "the label",
    "prediction": "the predictions",
    "rows": "the volume",
    "late": "late rows",
    "schema": "the form of the rows",
}


@dataclass(frozen=True)
class Deed:
    """Something that was done or asked for."""

    when: datetime
    kind: str
    words: str


@dataclass(frozen=True)
class Moved:
    """A stream in the latest window: how it reads, its bar and threshold in percent."""

    title: str
    name: str
    effect: str
    share: float
    bar: float
    p_value: str
    drifted: bool
    note: str


@dataclass(frozen=True)
class Often:
    """When a stream drifted: one flag a window."""

    title: str
    weeks: tuple[bool, ...]


def render_tenant_page(facts: TenantFacts) -> str:
    """Render a tenant's page: one file that fetches nothing; equal facts give equal bytes.

    All that comes from data and specs is escaped, and the page's policy lets no script run. Its
    links lead from its place in the store, `layout.monitoring_page`.
    """
    judgement, spec = facts.judgement, facts.spec
    reigns = facts.champion.standing if facts.champion else ()
    metric = TITLES.get(spec.model.metric, spec.model.metric)
    tolerance = spec.monitor.tolerance
    shown = facts.past[-_COLUMNS:]
    frames = (WIDE, NARROW)
    return _PAGE.render(
        judgement=judgement,
        spec=spec,
        label=spec.label.title or spec.label.column,
        tone=_TONES.get(judgement.status, "idle"),
        words=IN_WORDS[judgement.status],
        tiles=tuple(_tiles(facts, metric)),
        qualities=[draw_quality(facts.past, metric, tolerance, reigns, one) for one in frames],
        volumes=[draw_volumes(facts.past, one) for one in frames],
        metric=metric,
        feed=tuple(_say_feed(judgement.feed)) if judgement.feed else (),
        moved=_moved(judgement, spec),
        often=_often(shown, spec),
        shown=shown,
        past=tuple(reversed(facts.past)),
        deeds=_deeds(facts, reigns),
        signs=SIGNS,
        in_words=IN_WORDS,
        has_report=facts.has_report,
        figure=figure,
    )


def _tiles(facts: TenantFacts, metric: str) -> Iterator[tuple[str, str, str]]:
    judgement = facts.judgement
    if judgement.quality:
        quality = judgement.quality
        yield figure(quality.realised), f"{metric}, realised", _TONES.get(judgement.status, "")
        if quality.promised is not None:
            yield figure(quality.promised), "promised", ""
    if judgement.expected is not None:
        yield figure(judgement.expected), "expected before labels", ""
    yield f"{judgement.rows:,}", "rows predicted", ""
    yield f"{judgement.labelled:,}", "with a label", ""
    yield f"{len(judgement.drifted):,} of {len(judgement.drift):,}", "streams drifted", ""
    bad = sum(one.status == "decayed" for one in facts.past)
    yield f"{bad:,} of {len(facts.past):,}", "windows worse than promised", ""


def _name(name: str, spec: Spec) -> str:
    feature = spec.features.get(name)
    return title(name, feature) if feature else _PLAIN.get(name, name)


def _threshold(shift: Shift, spec: Spec) -> float:
    rules = spec.monitor
    if shift.kind in ("label", "prediction"):
        return rules.label_threshold
    return rules.volume_threshold if shift.kind == "volume" else rules.drift_threshold


def _moved(judgement: Judgement, spec: Spec) -> tuple[Moved, ...]:
    """Return the streams, those that drifted first, then the largest effect."""
    order = sorted(judgement.drift, key=lambda one: (not one.drifted, -(one.effect or 0), one.name))
    most = max([_threshold(one, spec) for one in order] + [one.effect or 0 for one in order] + [0])
    return tuple(
        Moved(
            title=_name(one.name, spec),
            name=one.name,
            effect="–" if one.effect is None else f"{one.effect:.2f}",
            share=round(100 * (one.effect or 0) / most, 2),
            bar=round(100 * _threshold(one, spec) / most, 2),
            p_value=_say_p(one.p_value),
            drifted=one.drifted,
            note="; ".join(words for words in (one.note, _say_missing(one)) if words),
        )
        for one in order
    )


def _say_missing(shift: Shift) -> str:
    """Say which share of the values is missing, where that has changed and the note is silent."""
    now, before = shift.missing, shift.missing_before
    if now is None or before is None or abs(now - before) < _CHANGED or "missing" in shift.note:
        return ""
    return f"{now:.1%} missing, {before:.1%} before"


def _say_feed(feed: Feed) -> Iterator[str]:
    """Yield in sentences how a window's rows came."""
    late = f"{feed.late:,} of them came after it had been predicted"
    unscored = f", {feed.unscored:,} of these were never scored" if feed.unscored else ""
    yield f"{feed.rows:,} rows of the latest window are known by now; {late}{unscored}."
    if feed.silence is not None:
        hours = f"{feed.silence:,.1f}".removesuffix(".0")
        yield f"The last scored row is of {hours} hours before the window's end."
    if feed.changes:
        yield f"Their form changed: {'; '.join(feed.changes)}."


def _say_p(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}".replace("0.", ".", 1) if value >= 0.001 else "< .001"


def _often(shown: tuple[Judged, ...], spec: Spec) -> tuple[Often, ...]:
    counts = Counter(name for one in shown for name in one.drifted)
    return tuple(
        Often(_name(name, spec), tuple(name in one.drifted for one in shown))
        for name, _ in counts.most_common(_OFTEN)
    )


def _deeds(facts: TenantFacts, reigns: tuple[Reign, ...]) -> tuple[Deed, ...]:
    """Return what was asked for and which models came to reign, the latest first."""
    asked = [Deed(one.as_of, one.action, one.sentence) for one in facts.asked]
    turns = [Deed(one.since, "restored" if one.restores else "model", one.gate) for one in reigns]
    return tuple(sorted((*asked, *turns), key=lambda one: one.when, reverse=True))[:_DEEDS]
