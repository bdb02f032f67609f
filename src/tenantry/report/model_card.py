"""A model's card as one self-contained page: what it predicts, how well, and for whom not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tenantry import layout
from tenantry.bootstrap import Gain
from tenantry.curves import Curves
from tenantry.evaluations import CHALLENGER, POOLED, PRIOR
from tenantry.figures import TITLES, figure
from tenantry.models.card import Card, Slice
from tenantry.report.charts import Interval, place_intervals
from tenantry.report.feature_words import tell_features
from tenantry.report.model_charts import draw_reliability, draw_roc
from tenantry.report.model_facts import CHAMPION, ModelFacts
from tenantry.report.model_words import (
    slice_title,
    tell_classes,
    tell_decisions,
    tell_form,
    tell_limits,
    tell_residuals,
)
from tenantry.report.pages import Page
from tenantry.report.words import day
from tenantry.specs.model import Spec
from tenantry.text import plain

_NAMES = {CHAMPION: "the champion of then", POOLED: "the pooled model"}
_METRICS = TITLES | {
    "roc_auc": "ROC AUC",
    "r2": "R²",
    "macro_auc": "macro ROC AUC",
    "macro_f1": "macro F1",
}
_DRIVERS = 12
"""Drivers that are shown, the strongest."""

_PAGE = Page("card.html", ("page.css", "chart.css", "card.css"))


@dataclass(frozen=True)
class Compared:
    """A comparison as the page shows it."""

    name: str
    rows: str
    mine: str
    rival: str
    gain: str
    span: str
    verdict: str
    tone: str
    interval: Interval | None


@dataclass(frozen=True)
class Driven:
    """A driver: how it reads, and its bar in percent of the longest."""

    title: str
    weight: str
    share: float


@dataclass(frozen=True)
class Scored:
    """A candidate on the validation span."""

    name: str
    scores: tuple[str, ...]
    refused: str
    is_chosen: bool


def card_page_key(product: str, tenant: str, version: str) -> str:
    """Return the key of a model's page."""
    return f"{layout.model_folder(product, tenant, version)}card.html"


def render_model_card(facts: ModelFacts) -> str:
    """Render a model's page: one file that fetches nothing; equal facts give equal bytes.

    All that comes from data and specs is escaped, and the page's policy lets no script run.
    """
    card, curves, spec = facts.card, facts.curves, facts.spec
    slices = _slices(card, spec)
    is_classified = card.task != "regression"
    return _PAGE.render(
        card=card,
        spec=spec,
        decision=facts.decision,
        tone=_tone(facts),
        label=spec.label.title or spec.label.column,
        made_of=tell_form(card),
        tiles=tuple(_tiles(facts)),
        compared_with=_comparisons(facts),
        confidence=f"{100 * spec.gate.confidence:g}",
        metric=_METRICS.get(card.metric, card.metric),
        scores=_holdout_scores(card),
        slices=slices,
        has_worse=any(row.tone == "bad" for _, rows in slices for row in rows),
        limits=tuple(tell_limits(facts)),
        reliability=draw_reliability(curves, card.task) if curves else None,
        roc=draw_roc(curves) if curves else None,
        decided=_meaning(curves) if curves else "",
        is_classified=is_classified,
        drivers=_drivers(curves) if curves else (),
        features=tell_features(spec, card.dropped),
        candidates=_candidates(card, spec),
        candidate_metrics=[_METRICS.get(name, name) for name in _metrics(card.scores, card.metric)],
        day=day,
    )


def load_template() -> None:
    """Read the page's template, before workers are forked that write cards."""
    _PAGE.load()


def _tone(facts: ModelFacts) -> str:
    if facts.decision is None:
        return "fair"
    return "good" if facts.decision.kind == "promoted" else "fair"


def _tiles(facts: ModelFacts) -> Iterator[tuple[str, str]]:
    card = facts.card
    promised = card.holdout.get(CHALLENGER, {})
    for name in dict.fromkeys((card.metric, "roc_auc", "r2", "accuracy")):
        if name in promised:
            yield figure(promised[name]), f"{_METRICS.get(name, name)} on the holdout"
    if POOLED in facts.gains:
        yield _signed(facts.gains[POOLED].gain), "gain over the pooled model"
    yield f"{card.rows:,}", "labelled rows learnt from"
    if card.positives is not None and card.rows:
        yield f"{card.positives / card.rows:.1%}", "of them yes: the base rate"
    yield f"{card.holdout_rows:,}", "rows of the holdout"


def _comparisons(facts: ModelFacts) -> tuple[Compared, ...]:
    base = "the mean" if facts.card.task == "regression" else "the base rate"
    names = _NAMES | {PRIOR: base}
    gains = facts.gains
    places = place_intervals([(one.low, one.gain, one.high) for one in gains.values()])
    return tuple(
        _compared(names[name], gain, place)
        for (name, gain), place in zip(gains.items(), places, strict=True)
    )


def _compared(name: str, gain: Gain, place: Interval) -> Compared:
    verdict, tone = _verdict(gain.low, gain.high)
    return Compared(
        name=name,
        rows=f"{gain.rows:,}",
        mine=figure(gain.challenger),
        rival=figure(gain.rival),
        gain=_signed(gain.gain),
        span=f"{_signed(gain.low)} to {_signed(gain.high)}",
        verdict=verdict,
        tone=tone,
        interval=place,
    )


def _verdict(low: float | None, high: float | None) -> tuple[str, str]:
    if low is None or high is None:
        return "too few rows to say", "idle"
    if low > 0:
        return "better", "good"
    return ("worse", "bad") if high < 0 else ("no clear difference", "idle")


def _holdout_scores(card: Card) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the table of all metrics by model; empty where nothing was measured."""
    names = _metrics(card.holdout, card.metric)
    base = "mean" if card.task == "regression" else "base rate"
    titles = {CHALLENGER: "this model", POOLED: "pooled model", PRIOR: base}
    head = ("", tuple(_METRICS.get(name, name) for name in names))
    rows = [
        (titles.get(model, model), tuple(_score(scores, name) for name in names))
        for model, scores in card.holdout.items()
    ]
    order = list(titles.values())
    rows.sort(key=lambda row: order.index(row[0]) if row[0] in order else len(order))
    return (head, *rows) if rows else ()


def _metrics(scores: Mapping[str, Mapping[str, float]], first: str) -> tuple[str, ...]:
    """Return the metrics that anything has, the spec's own first."""
    names = dict.fromkeys(name for found in scores.values() for name in found)
    return tuple(sorted(names, key=lambda name: name != first))


def _score(scores: Mapping[str, float], name: str) -> str:
    return figure(scores[name]) if name in scores else "–"


def _slices(card: Card, spec: Spec) -> tuple[tuple[str, tuple[Compared, ...]], ...]:
    """Return the slices by feature, each compared with the pooled model."""
    parts = [one for one in card.slices if one.metrics]
    known = [one for one in parts if one.gain_low is not None and one.gain_high is not None]
    intervals = place_intervals([_gain_of(one, card.metric) for one in known])
    places = dict(zip(map(_name_of, known), intervals, strict=True))
    found: dict[str, list[Compared]] = {}
    for one in parts:
        rows = found.setdefault(slice_title(one.feature, spec), [])
        rows.append(_compared_slice(one, card.metric, places.get(_name_of(one))))
    return tuple((name, tuple(rows)) for name, rows in found.items())


def _compared_slice(one: Slice, metric: str, place: Interval | None) -> Compared:
    verdict, tone = _verdict(one.gain_low, one.gain_high)
    mine, rival = one.metrics[metric], one.pooled
    span = ""
    if one.gain_low is not None and one.gain_high is not None:
        span = f"{_signed(one.gain_low)} to {_signed(one.gain_high)}"
    return Compared(
        name=plain(one.value) or "missing",
        rows=f"{one.rows:,}",
        mine=figure(mine),
        rival=figure(rival) if rival is not None else "–",
        gain=_signed(rival - mine) if rival is not None else "–",
        span=span,
        verdict=verdict,
        tone=tone,
        interval=place,
    )


def _name_of(one: Slice) -> tuple[str, str]:
    return one.feature, one.value


def _gain_of(one: Slice, metric: str) -> tuple[float, float, float]:
    low, high = one.gain_low or 0.0, one.gain_high or 0.0
    return low, (one.pooled or 0.0) - one.metrics[metric], high


def _meaning(curves: Curves) -> str:
    """Say what the curves mean for whoever goes by the predictions."""
    if curves.confusion:
        return tell_decisions(curves.confusion)
    if any(map(any, curves.class_confusion)):
        return tell_classes(curves)
    return tell_residuals(curves.residuals) if curves.residuals else ""


def _drivers(curves: Curves) -> tuple[Driven, ...]:
    shown = [one for one in curves.drivers if one.weight > 0][:_DRIVERS]
    most = max((one.weight for one in shown), default=1.0)
    return tuple(Driven(one.title, figure(one.weight), 100 * one.weight / most) for one in shown)


def _candidates(card: Card, spec: Spec) -> tuple[Scored, ...]:
    """Return the candidates in the spec's order of preference."""
    names = _metrics(card.scores, card.metric)
    found = []
    for name in dict.fromkeys((*spec.model.candidates, *card.scores, *card.refused)):
        if name in card.scores:
            scores = tuple(_score(card.scores[name], one) for one in names)
            found.append(Scored(name, scores, "", name == card.recipe))
        elif name in card.refused:
            found.append(Scored(name, (), card.refused[name], name == card.recipe))
    return tuple(found)


def _signed(value: float) -> str:
    """Write a gain; those of models are often in the fourth digit."""
    text = f"{value:+.4f}".replace("0.", ".", 1) if abs(value) < 0.09995 else figure(value)
    if not text.strip("+-.0"):
        return ".0000"
    return text if text[0] in "+-" else f"+{text}"
