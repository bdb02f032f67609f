"""The parts of a spec that say how models are made, and what they must show."""

from typing import Literal

from pydantic import Field

from tenantry.figures import Metric
from tenantry.specs.features import Feature
from tenantry.specs.parts import ColumnName, SpecPart
from tenantry.times import PositiveDuration

RECIPES = ("blended", "adapted", "stacked", "pooled", "logistic", "boosted", "prior")
"""The candidates that a spec may name."""

POOLED_RECIPES = ("blended", "adapted", "stacked", "pooled")
"""Those that need the pooled model."""


class Model(SpecPart):
    """How the tenant's model is made."""

    candidates: dict[str, dict[str, float | int | str | bool]] = Field(min_length=1)
    """Recipes by name with their parameters, in order of preference: a later one must be better
    by `margin`."""
    margin: float = Field(default=2.0, ge=0)
    """Standard errors by which a later candidate must be better than an earlier one."""
    metric: Metric = "log_loss"
    """What selection and the gate compare; lower is better."""
    seed: int = Field(default=7, ge=0)
    """Seed of all that is random."""
    min_rows: int = Field(default=200, ge=1)
    """With fewer labelled rows candidates are not compared: the tenant gets the pooled model,
    adapted to them."""
    validation: PositiveDuration
    """The span before the holdout on which candidates are compared."""
    calibration: Literal["none", "sigmoid", "auto"] = "none"
    """How probabilities are calibrated; `auto`: by `sigmoid` where that is better on rows that it
    was not fitted on, by `margin`."""


class Train(SpecPart):
    """When to train, and on what."""

    every: PositiveDuration
    """Train again when the last attempt is older than this."""
    history: PositiveDuration
    """How far back rows are read."""


class Gate(SpecPart):
    """What a challenger must show before it becomes champion."""

    holdout: PositiveDuration
    """The last span before `as_of`, on which challenger and champion are compared."""
    min_rows: int = Field(default=50, ge=1)
    """Labelled rows needed for a comparison."""
    min_days: int = Field(default=7, ge=1)
    """Different days needed for a comparison."""
    without_evidence: Literal["promote", "keep"] = "promote"
    """What to do with fewer, when the champion is stale or its spec changed; a fresh champion
    stays, and a first model is promoted."""
    min_gain: float = 0.0
    """Gain in the metric that the interval must clear."""
    tolerance: float = Field(default=0.01, ge=0)
    """How much worse is still no worse, when the champion is stale or its spec changed."""
    slices: tuple[ColumnName, ...] = ()
    """Parts in which a challenger must not be worse either: features that are categories, hours
    (in bands of six) or weekdays, and `month`; each value with `min_rows` rows of `min_days` days
    counts."""
    slice_tolerance: float = Field(default=0.02, ge=0)
    """How much worse a challenger may be in a slice; it is stopped when the slice's interval, wider
    the more slices there are, lies beyond."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Of the day-block bootstrap interval."""
    resamples: int = Field(default=1000, ge=100)
    """Of the bootstrap."""


class Pooling(SpecPart):
    """The tenant's part in the pooled model."""

    contribute: bool = True
    """Whether its rows may train the pooled model."""
    receive: bool = True
    """Whether it may use the pooled model."""


class Pooled(SpecPart):
    """How the pooled model of the product is made; bound by the platform."""

    every: PositiveDuration
    """Train again when it is older than this."""
    max_rows: int = Field(default=120_000, ge=100)
    """Cap of the deterministic sample."""
    folds: int = Field(default=4, ge=2, le=20)
    """Cuts in time at which scores out of fold are made for stacking."""
    parameters: dict[str, float | int] = Field(default={})
    """Of scikit-learn's HistGradientBoosting."""
    features: dict[ColumnName, Feature] = Field(default={})
    """The product's own features; filled in when specs are merged, so that a tenant with other
    features can still be scored by the pooled model."""
