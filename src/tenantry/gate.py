"""The gate: whether a challenger becomes champion. The rules in words: `docs/gate.md`.

While a champion is fresh and its spec unchanged, the burden of proof is the challenger's: it must
be clearly better, by the interval. Once the champion is stale or its spec changed, the challenger
takes over unless it is worse, by more than a tolerance. A first model must not be worse than what
the tenant could have without it: the pooled model, or the base rate. And in no slice that the spec
names may it be clearly worse than its rival by more than the slices' tolerance.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tenantry.bootstrap import Gain, compare
from tenantry.figures import TITLES, figure
from tenantry.floors import Sliced, SliceGain, compare_slices, find_breach
from tenantry.ledger import Scalar
from tenantry.metrics import Floats
from tenantry.specs.learning import Gate, Model

Choice = Literal["challenger", "champion", "pooled", "prior"]

_NAMES = {"champion": "the champion", "pooled": "the pooled model", "prior": "the base rate"}


@dataclass(frozen=True)
class Holdout:
    """Labelled rows that no compared model has seen in training.

    Attributes:
        label: Labels, shape (n,), no NaN.
        day: The local day of each row, whole numbers, shape (n,).
        challenger: The challenger's predictions, shape (n,).
        rivals: Predictions of `champion`, or of `pooled` and `prior`; each of shape (n,).
        slices: Feature of `gate.slices` → its value for each row, shape (n,).
    """

    label: Floats
    day: NDArray[np.int64]
    challenger: Floats
    rivals: Mapping[str, Floats]
    slices: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)


@dataclass(frozen=True)
class Incumbent:
    """What the gate knows of the champion besides its predictions.

    Attributes:
        age: Since it was trained.
        stale: Whether that is longer than `train.every`.
        changed: Whether the spec's training part has changed since.
        unable: Why it cannot score the holdout; empty when it can.
    """

    age: timedelta
    stale: bool = False
    changed: bool = False
    unable: str = ""

    @property
    def excuse(self) -> str:
        """Why it must give way unless the challenger is worse; empty when it need not."""
        if self.unable:
            return f"the champion cannot score these rows, {self.unable}"
        if self.changed:
            return "the champion was made by an earlier spec"
        return f"the champion is {self.age.days} days old" if self.stale else ""


@dataclass(frozen=True)
class Decision:
    """What the gate decided.

    Attributes:
        choice: Which model reigns from now on.
        sentence: The decision and its figures, for people.
        evidence: The figures: metric, rows, days, scores, gain and its interval.
    """

    choice: Choice
    sentence: str
    evidence: dict[str, Scalar] = field(default_factory=dict)

    @property
    def promote(self) -> bool:
        """Whether the challenger becomes champion."""
        return self.choice == "challenger"


def decide(holdout: Holdout, incumbent: Incumbent | None, *, gate: Gate, model: Model) -> Decision:
    """Decide between a challenger and the champion, or what a tenant without one could have.

    Args:
        holdout: The rows to compare on; may be empty.
        incumbent: The champion; None for a tenant's first model.
        gate: The gate part of the spec.
        model: The model part of the spec: metric and seed.
    """
    lacking = _lacking(holdout, gate)
    if lacking or (incumbent and incumbent.unable):
        return _without_comparison(holdout, incumbent, gate=gate, lacking=lacking)
    gains = {
        name: compare(
            holdout.label,
            holdout.challenger,
            predicted,
            day=holdout.day,
            metric=model.metric,
            confidence=gate.confidence,
            resamples=gate.resamples,
            seed=model.seed,
        )
        for name, predicted in holdout.rivals.items()
    }
    if incumbent is None:
        decision = _first(gains, gate=gate, metric=model.metric)
    else:
        decision = _succession(gains["champion"], incumbent, gate=gate, metric=model.metric)
    if not decision.promote:
        return decision
    return _above_floors(decision, holdout, incumbent, gains, gate=gate, metric=model.metric)


def _lacking(holdout: Holdout, gate: Gate) -> str:
    """Return what is missing for a comparison, in words; empty when nothing is."""
    if not np.isfinite(holdout.challenger).all():
        return "no such model could be fitted before the holdout"
    rows, days = len(holdout.label), len(np.unique(holdout.day))
    need = max(gate.min_days, 2)
    if rows < gate.min_rows or days < need:
        return f"{rows:,} labelled rows of {days} days, {gate.min_rows:,} of {need} needed"
    if len(np.unique(holdout.label)) < 2:
        return f"all {rows:,} labels of {days} days are the same"
    return "" if holdout.rivals else "nothing else could be fitted before the holdout"


def _without_comparison(
    holdout: Holdout, incumbent: Incumbent | None, *, gate: Gate, lacking: str
) -> Decision:
    evidence: dict[str, Scalar] = {
        "rows": len(holdout.label),
        "days": len(np.unique(holdout.day)),
    }
    if incumbent is None:
        sentence = f"promoted as first model without a comparison: {lacking}"
        return Decision("challenger", sentence, evidence)
    if incumbent.unable:
        sentence = f"promoted without a comparison: {incumbent.excuse}"
        return Decision("challenger", sentence, evidence)
    if incumbent.excuse and gate.without_evidence == "promote":
        sentence = f"promoted without a comparison: {incumbent.excuse}; {lacking}"
        return Decision("challenger", sentence, evidence)
    return Decision("champion", f"kept the champion without a comparison: {lacking}", evidence)


def _first(gains: Mapping[str, Gain], *, gate: Gate, metric: str) -> Decision:
    hardest = _hardest(gains)
    rivals = " and ".join(f"{figure(gains[name].rival)} of {_NAMES[name]}" for name in gains)
    figures = _figures(gains[hardest], rivals, gate=gate, metric=metric)
    evidence = _evidence(gains[hardest], hardest, metric)
    if not _is_worse(gains[hardest], gate):
        return Decision("challenger", f"promoted as first model: {figures}", evidence)
    choice = _instead(gains, gate)
    why = f"which is worse than {_NAMES[hardest]} by more than {figure(gate.tolerance)}"
    sentence = f"{_NAMES[choice]} instead of the challenger, {why}: {figures}"
    return Decision(choice, sentence, evidence)


def _hardest(gains: Mapping[str, Gain]) -> str:
    """Return the rival with the best score."""
    return min(gains, key=lambda name: (gains[name].rival, name))


def _instead(gains: Mapping[str, Gain], gate: Gate) -> Choice:
    """Return what a tenant gets instead of a first challenger."""
    losses = {name: gain.rival for name, gain in gains.items()}
    is_poor = losses.get("pooled", np.inf) > losses.get("prior", np.inf) + gate.tolerance
    return "prior" if is_poor or "pooled" not in losses else "pooled"


def _succession(gain: Gain, incumbent: Incumbent, *, gate: Gate, metric: str) -> Decision:
    figures = _figures(gain, f"{figure(gain.rival)} of the champion", gate=gate, metric=metric)
    evidence = _evidence(gain, "champion", metric)
    if gain.low > gate.min_gain:
        return Decision("challenger", f"promoted: {figures}", evidence)
    if not incumbent.excuse:
        bar = figure(gate.min_gain)
        sentence = f"kept the champion, the gain is not clear of {bar}: {figures}"
        return Decision("champion", sentence, evidence)
    if _is_worse(gain, gate):
        why = f"although {incumbent.excuse}; the challenger is worse by more than"
        sentence = f"kept the champion, {why} {figure(gate.tolerance)}: {figures}"
        return Decision("champion", sentence, evidence)
    sentence = f"promoted, {incumbent.excuse} and the challenger is no worse: {figures}"
    return Decision("challenger", sentence, evidence)


def _above_floors(  # noqa: PLR0913 - what a decision is made from
    decision: Decision,
    holdout: Holdout,
    incumbent: Incumbent | None,
    gains: Mapping[str, Gain],
    *,
    gate: Gate,
    metric: str,
) -> Decision:
    """Let a promotion stand unless the challenger is below the floor in a slice."""
    if not holdout.slices:
        return decision
    rival = "champion" if incumbent else _hardest(gains)
    rows = Sliced(holdout.label, holdout.day, dict(holdout.slices))
    found = compare_slices(
        rows, holdout.challenger, holdout.rivals[rival], gate=gate, metric=metric
    )
    breach = find_breach(found, gate.slice_tolerance)
    evidence = decision.evidence | {"slices": len(found)}
    if breach is None:
        return Decision(decision.choice, decision.sentence, evidence)
    choice: Choice = "champion" if incumbent else _instead(gains, gate)
    kept = f"{_NAMES[choice]} instead of the challenger, which"
    kept = "kept the champion, the challenger" if incumbent else kept
    floor = f"by more than {figure(gate.slice_tolerance)} where {breach.name}"
    figures = f"{_slice_figures(breach)}; over all, {_over_all(gains[rival], metric)}"
    sentence = f"{kept} is worse than {_NAMES[rival]} {floor}: {figures}"
    return Decision(choice, sentence, evidence | _slice_evidence(breach))


def _over_all(gain: Gain, metric: str) -> str:
    scores = f"{TITLES[metric]} {figure(gain.challenger)} against {figure(gain.rival)}"
    return f"{scores} on {gain.rows:,} rows"


def _slice_figures(found: SliceGain) -> str:
    gain = found.gain
    interval = f"{100 * found.confidence:.3g} % {figure(gain.low)} to {figure(gain.high)}"
    return (
        f"{figure(gain.challenger)} against {figure(gain.rival)} there "
        f"on {gain.rows:,} rows of {gain.days} days (gain {figure(gain.gain)}, {interval})"
    )


def _slice_evidence(found: SliceGain) -> dict[str, Scalar]:
    return {
        "slice": found.name,
        "slice_gain": found.gain.gain,
        "slice_gain_low": found.gain.low,
        "slice_gain_high": found.gain.high,
        "slice_rows": found.gain.rows,
    }


def _is_worse(gain: Gain, gate: Gate) -> bool:
    return gain.gain < -gate.tolerance


def _figures(gain: Gain, rivals: str, *, gate: Gate, metric: str) -> str:
    interval = f"{100 * gate.confidence:g} % {figure(gain.low)} to {figure(gain.high)}"
    return (
        f"{TITLES[metric]} {figure(gain.challenger)} against {rivals} "
        f"on {gain.rows:,} rows of {gain.days} days (gain {figure(gain.gain)}, {interval})"
    )


def _evidence(gain: Gain, rival: str, metric: str) -> dict[str, Scalar]:
    return {
        "metric": metric,
        "rival": rival,
        "challenger_score": gain.challenger,
        "rival_score": gain.rival,
        "gain": gain.gain,
        "gain_low": gain.low,
        "gain_high": gain.high,
        "rows": gain.rows,
        "days": gain.days,
    }
