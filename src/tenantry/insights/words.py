"""What can be told of a tenant, in sentences for people who do not know the model."""

from collections.abc import Iterator

from tenantry.figures import TITLES, figure
from tenantry.insights.record import Action, Driver, Estimate, Insights, Segment
from tenantry.text import counted, plain

_MEAN = {
    "classification": "the share that came true",
    "regression": "the mean",
    "multiclass": "each class's share",
}
_FEW = 30
"""Rows that came true, or did not, below which how good is far from sure."""

_NAMED = 3
"""Segments and drivers that a sentence names."""


def tell_performance(told: Insights) -> Iterator[str]:
    """Yield how good the predictions were."""
    found = told.performance
    if found is None:
        yield f"Too few outcomes are known of {counted(told.rows, 'prediction')} to say how good."
        return
    yield f"{counted(found.rows, 'prediction')} of {counted(found.days, 'day')} have an outcome."
    outcome = found.outcome
    if told.task == "classification":
        yield (
            f"{share(outcome.value)} came true{_between(outcome)}; "
            f"{share(found.mean_prediction)} were expected to."
        )
    elif told.task == "multiclass":
        yield f"The most probable class was right in {share(outcome.value)}{_between(outcome)}."
    else:
        yield f"The mean outcome was {number(outcome.value)}, {number(found.mean_prediction)} said."
    yield from _tell_skill(told)


def _tell_skill(told: Insights) -> Iterator[str]:
    found = told.performance
    if found is None:
        return
    if found.auc is not None:
        yield (
            "Of one that came true and one that did not, the former had the higher probability "
            f"{found.auc * 100:.0f} times of 100; 50 would be guessing."
        )
    title = TITLES.get(found.metric, found.metric)
    if found.skill is not None:
        better = "better" if found.skill >= 0 else "worse"
        yield (
            f"They are {abs(found.skill):.0%} {better} than always saying {_MEAN[told.task]} "
            f"({title} {figure(found.realised)} against {figure(found.baseline)})."
        )
    rarer = round(min(found.outcome.value, 1 - found.outcome.value) * found.rows)
    if found.auc is not None and rarer < _FEW:
        outcome = "came true" if found.outcome.value < 0.5 else "did not come true"
        yield f"Only {rarer:,} {outcome}, so how good they are is far from sure."
    if found.coverage is not None:
        yield f"{share(found.coverage)} of the outcomes lay within their intervals."


def tell_acting(told: Insights) -> Iterator[str]:
    """Yield what acting at the threshold in use meant, and what a lower one would have."""
    now = next((one for one in told.acting if one.is_current), None)
    if now is None:
        return
    if not now.acted:
        yield f"At {share(now.threshold)}, the threshold in use, nothing would have been acted on."
        return
    precision = now.precision or Estimate(value=now.hits / now.acted)
    yield (
        f"At {share(now.threshold)}, the threshold in use: {now.acted:,} acted on, "
        f"{now.hits:,} of them came true ({share(precision.value)}{_between(precision)}), "
        f"{now.false_alarms:,} were false alarms, {now.missed:,} were missed."
    )
    lower = [one for one in told.acting if one.threshold < now.threshold]
    if lower:
        yield _compare(lower[-1], now)


def _compare(other: Action, now: Action) -> str:
    return (
        f"At {share(other.threshold)} there would have been {other.hits - now.hits:,} more hits "
        f"and {other.false_alarms - now.false_alarms:,} more false alarms."
    )


def tell_segments(told: Insights) -> Iterator[str]:
    """Yield where the outcome concentrates, and how sure that is."""
    found = told.segments
    if not found.tested:
        yield "No segment had enough rows and days to be tested."
        return
    above = [one for one in found.found if one.difference.value > 0]
    tested = f"{found.tested:,} segments were tested"
    if not found.found:
        yield f"{tested}; none differs from the rest beyond chance."
        return
    yield f"{tested}; {len(found.found):,} that differ from the rest are told of."
    yield f"On average, at most {found.false_share:.0%} of such findings are chance."
    for one in above[:_NAMED]:
        yield f"{plain(one.value)} ({plain(one.title)}): {_tell_excess(one, told)}."


def _tell_excess(one: Segment, told: Insights) -> str:
    if told.task == "classification":
        rate = f"{share(one.outcome.value)}{_between(one.outcome)}"
        return f"{rate}; the rest {share(one.rest)} ({one.rows:,} rows)"
    return f"a mean of {number(one.outcome.value)}; the rest {number(one.rest)} ({one.rows:,} rows)"


def tell_drivers(told: Insights) -> Iterator[str]:
    """Yield what drives the predictions, and what changed in a month."""
    found = told.drivers
    if found.note:
        yield found.note
        return
    names = ", ".join(_tell_driver(one) for one in found.drivers[:_NAMED])
    yield f"The reasons of {counted(found.rows, 'prediction')} of the last 28 days: {names}."
    changed = [one for one in found.drivers if one.has_changed]
    if not found.rows_before:
        yield "There are no reasons of the 28 days before to compare them with."
    elif not changed:
        yield "Nothing in them changed beyond chance since the 28 days before."
    for one in sorted(changed, key=_grown, reverse=True)[:_NAMED]:
        verb = "grew" if _grown(one) > 0 else "fell"
        name, before = _capital(plain(one.title)), share(one.before or 0)
        yield f"{name} {verb} from {before} to {share(one.share)}."


def _tell_driver(one: Driver) -> str:
    return f"{plain(one.title)} ({share(one.share)})"


def _grown(one: Driver) -> float:
    return one.change.value if one.change else 0.0


def tell_peers(told: Insights) -> Iterator[str]:
    """Yield how the tenant stands among comparable ones."""
    if told.peers is None:
        return
    yield f"{told.peers.tenants} comparable tenants that allow it, without names:"
    for one in told.peers.figures:
        place = "within"
        if one.own < one.low:
            place = "below"
        elif one.own > one.high:
            place = "above"
        half = f"{number(one.low)} to {number(one.high)}"
        yield f"{one.title}: {number(one.own)}, {place} the middle half ({half})."


def share(value: float) -> str:
    """Write a share for people: ``23%``, ``0.4%``."""
    return f"{value:.0%}" if value == 0 or value >= 0.0995 else f"{value:.1%}"


def number(value: float) -> str:
    """Write a number for people."""
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"


def _between(told: Estimate) -> str:
    if told.low is None or told.high is None:
        return ""
    return f", {share(told.low)} to {share(told.high)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
