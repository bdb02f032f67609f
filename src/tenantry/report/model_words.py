"""A model's card in sentences: what it is, whom it does not serve, what deciding by it means."""

from collections.abc import Iterator

from tenantry.curves import Confusion, Curves, Residuals
from tenantry.figures import figure
from tenantry.models.card import Card
from tenantry.reasons import title
from tenantry.report.model_facts import ModelFacts
from tenantry.report.words import day
from tenantry.specs.model import Spec
from tenantry.text import plain

_NAMED = 8
"""Slices without figures that are named; the rest is counted."""


def slice_title(feature: str, spec: Spec) -> str:
    """Return what divides rows into slices, in words."""
    return title(feature, spec.features.get(feature))


def tell_form(card: Card) -> str:
    """Say what a model is made of."""
    match card.form:
        case "own":
            return "the tenant's own rows alone"
        case "pooled":
            how = "as it is" if card.recipe == "pooled" else "adapted to the tenant's own rows"
            return f"the pooled model of all tenants that allow it, {how}"
        case "blend":
            own = f"{card.weight:.0%} a model of the tenant's own rows"
            return f"{own}, {1 - card.weight:.0%} the pooled model of all tenants that allow it"
        case _:
            return "a model of the tenant's own rows that also sees the pooled model's score"


def tell_limits(facts: ModelFacts) -> Iterator[tuple[str, str]]:
    """Yield what a reader must not rely on: tone and sentence."""
    card, spec = facts.card, facts.spec
    evidence = facts.decision.evidence if facts.decision else {}
    if evidence.get("slice"):
        yield "bad", f"The gate stopped it: it is clearly worse where {evidence['slice']}."
    known = [one for one in card.slices if one.gain_high is not None]
    worse = [one for one in known if (one.gain_high or 0.0) < 0]
    if known and not worse:
        parts = f"{len(known)} parts of the holdout with enough rows"
        yield "good", f"In none of {parts} is it worse than the pooled model beyond noise."
    for one in worse:
        where = f"{slice_title(one.feature, spec)}: {plain(one.value) or 'missing'}"
        yield "bad", f"{where}: worse than the pooled model on {one.rows:,} rows, beyond noise."
    if card.holdout_rows < spec.gate.min_rows:
        rows = f"{card.holdout_rows:,} labelled rows in the holdout"
        yield "fair", f"{rows}, {spec.gate.min_rows:,} needed: its figures say little."
    thin = [one for one in card.slices if not one.metrics]
    if thin:
        named = [
            f"{slice_title(one.feature, spec)} {plain(one.value) or 'missing'}"
            for one in thin[:_NAMED]
        ]
        more = f" and {len(thin) - _NAMED} more" if len(thin) > _NAMED else ""
        yield (
            "fair",
            f"Nothing is known of how good it is for: {', '.join(named)}{more} (too few rows).",
        )
    if card.dropped:
        yield "fair", f"It never saw a value of: {', '.join(card.dropped)}."
    before = f"{day(card.trained_until)} UTC"
    yield (
        "idle",
        f"What happened before {before} may have taught it: figures of then prove nothing.",
    )


def tell_classes(curves: Curves) -> str:
    """Say how often the most probable class is right, and which mistake is the most frequent."""
    cells = {
        (was, said): count
        for was, line in zip(curves.classes, curves.class_confusion, strict=True)
        for said, count in zip(curves.classes, line, strict=True)
    }
    right = sum(count for (was, said), count in cells.items() if was == said)
    told = f"The most probable class is right for {right / sum(cells.values()):.0%} of the rows"
    wrong = {pair: count for pair, count in cells.items() if pair[0] != pair[1] and count}
    if not wrong:
        return f"{told}."
    was, said = max(wrong, key=lambda pair: wrong[pair])
    rows = f"{wrong[was, said]:,} rows of {sum(cells[was, name] for name in curves.classes):,}"
    return f"{told}; most often {plain(was)} is taken for {plain(said)}, {rows}."


def tell_decisions(cells: Confusion) -> str:
    """Say in words what deciding at the threshold means."""
    yes = cells.true_positives + cells.false_positives
    positives = cells.true_positives + cells.false_negatives
    rows = yes + cells.true_negatives + cells.false_negatives
    if not rows:
        return ""
    start = f"Saying yes from {cells.threshold:.0%} up"
    said = f"{start} flags {yes:,} of {rows:,} rows ({yes / rows:.0%})"
    right = f"; {cells.true_positives / yes:.0%} of those are right" if yes else ""
    caught = (
        f", and {cells.true_positives / positives:.0%} of all yes are caught" if positives else ""
    )
    return f"{said}{right}{caught}."


def tell_residuals(found: Residuals) -> str:
    """Say how far labels lie from predictions; empty where the quantiles for it are not there."""
    at = dict(zip(found.shares, found.quantiles, strict=True))
    spans = [("Half", 0.25, 0.75), ("nine in ten", 0.05, 0.95)]
    told = [
        f"{share} of the labels lie between {figure(at[low])} and {figure(at[high])}"
        for share, low, high in spans
        if low in at and high in at
    ]
    return f"{', '.join(told)} from the prediction." if told else ""
