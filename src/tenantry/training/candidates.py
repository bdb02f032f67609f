"""The recipes that a spec may name as candidates; each is one registered function.

To add one, write a function that takes `Material` and keyword parameters with defaults, returns a
`FittedModel`, and raises `TrainingError` when these rows do not allow it; give it a name with
`@recipe`. Its parameters are what a spec may set.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from tenantry.errors import TrainingError
from tenantry.metrics import Floats
from tenantry.models.card import Task
from tenantry.models.fitted import FittedModel, with_pooled_score
from tenantry.models.leaves import Fallen
from tenantry.recipes import NAME
from tenantry.training.adapt import adapt_leaves, can_adapt, check_adaptable
from tenantry.training.foreign import check_model, load_recipe
from tenantry.training.pipelines import Texts, Trees, fit_constant, fit_linear, fit_trees

Parameters = Mapping[str, float | int | str | bool]
Recipe = Callable[..., FittedModel]

NO_DAYS = 7
"""Days of rows up to which a tenant's own count for nothing: rows of one week share its weather."""

HALF_DAYS = 28
"""Further days at which they count for half of what they would with very many."""

CANDIDATES: dict[str, Recipe] = {}
"""The recipes by name."""


@dataclass(frozen=True)
class Material:
    """What a recipe is fitted on: labelled rows, and what the pooled model says of them.

    Attributes:
        frame: The tenant's own features, n rows, all with a label known by the cut.
        label: Their labels.
        pooled: The pooled pipeline that saw no row after the cut; None without one.
        fallen: Gives where the same rows fall in the pooled trees.
        out_of_fold: Gives what the pooled model said of each row before it had seen it, in link
            space; NaN where no fold is early enough. Asked for only by recipes that need it.
        days: Local days that the rows are of: rows of one day share what befell it.
        task: What is predicted.
        seed: Of all that is random.
        texts: Those of the features that are text.
        classes: How many classes there are, of ``multiclass``.
        fitted: Linear models fitted on all these rows already, by their parameters: recipes that
            differ only in what they do with one share it.
        adapted: Leaf values adapted to all these rows already, by `row_weight`.
    """

    frame: pd.DataFrame
    label: Floats
    pooled: Pipeline | None
    fallen: Callable[[], Fallen]
    out_of_fold: Callable[[], Floats]
    days: int
    task: Task
    seed: int
    texts: Texts = field(default_factory=dict)
    classes: int = 0
    fitted: dict[tuple[float, int], Pipeline] = field(default_factory=dict)
    adapted: dict[float, Floats] = field(default_factory=dict)

    def linear(self, c: float, min_frequency: int) -> Pipeline:
        """Return the linear model of these rows; see `pipelines.fit_linear`.

        Raises:
            TrainingError: All labels are the same, or no feature has a value.
        """
        _refuse_one_class(self.label, self.task)
        key = (c, min_frequency)
        if key not in self.fitted:
            self.fitted[key] = fit_linear(
                self.frame,
                self.label,
                task=self.task,
                c=c,
                min_frequency=min_frequency,
                texts=self.texts,
                classes=self.classes,
            )
        return self.fitted[key]

    @property
    def seasoning(self) -> float:
        """How far the tenant's own rows are to be trusted by the days they are of, 0 to 1."""
        days = max(self.days - NO_DAYS, 0)
        return days / (days + HALF_DAYS)

    def leaves(self, row_weight: float) -> Floats:
        """Return leaf values of the pooled trees for these rows; see `adapt.adapt_leaves`.

        Raises:
            TrainingError: There is no pooled model, or it cannot be adapted.
        """
        pooled = _pooled(self)
        if row_weight not in self.adapted:
            check_adaptable(pooled, self.task)
            self.adapted[row_weight] = adapt_leaves(
                pooled,
                self.fallen(),
                self.label,
                task=self.task,
                row_weight=self.seasoning * row_weight,
            )
        return self.adapted[row_weight]


def recipe(name: str) -> Callable[[Recipe], Recipe]:
    """Register a function as the recipe of that name."""

    def register(function: Recipe) -> Recipe:
        CANDIDATES[name] = function
        return function

    return register


def fit_candidate(name: str, material: Material, parameters: Parameters) -> FittedModel:
    """Fit the recipe of that name.

    Raises:
        TrainingError: There is no such recipe or parameter, or these rows do not allow it.
    """
    is_foreign = NAME.fullmatch(name) is not None
    function = load_recipe(name) if is_foreign else CANDIDATES.get(name)
    place = f"model.candidates.{name}"
    if function is None:
        msg = f"{place}: there is no such recipe; use {', '.join(sorted(CANDIDATES))}"
        raise TrainingError(msg)
    known = _parameters(function)
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        msg = f"{place}: has no {', '.join(unknown)}; its parameters are {', '.join(known)}"
        raise TrainingError(msg)
    if not is_foreign:
        return cast("FittedModel", function(material, **parameters))
    return _fit_foreign(name, function, material, parameters)


@lru_cache(maxsize=64)
def _parameters(function: Callable[..., object]) -> list[str]:
    return list(inspect.signature(function).parameters)[1:]


def _fit_foreign(
    name: str, function: Callable[..., object], material: Material, parameters: Parameters
) -> FittedModel:
    try:
        made = function(material, **parameters)
    except TrainingError:
        raise
    except Exception as error:
        msg = f"model.candidates.{name}: raised {type(error).__name__}; ask whoever wrote it"
        raise TrainingError(msg) from None
    return check_model(name, made, material.frame)


@recipe("prior")
def fit_prior(material: Material) -> FittedModel:
    """Say of every row what the tenant's rows were on average: the base rate, or the mean."""
    own = fit_constant(material.frame, material.label, task=material.task, classes=material.classes)
    return FittedModel("prior", material.task, "own", own=own)


@recipe("pooled")
def use_pooled(material: Material) -> FittedModel:
    """Take the pooled model as it is."""
    return FittedModel("pooled", material.task, "pooled", pooled=_pooled(material))


@recipe("logistic")
def fit_logistic(material: Material, *, c: float = 0.05, min_frequency: int = 20) -> FittedModel:
    """Fit a linear model to the tenant's own rows."""
    own = material.linear(c, min_frequency)
    return FittedModel("logistic", material.task, "own", own=own)


@recipe("boosted")
def fit_boosted(  # noqa: PLR0913 - what a spec may set
    material: Material,
    *,
    max_iter: int = 40,
    learning_rate: float = 0.12,
    max_leaf_nodes: int = 8,
    min_samples_leaf: int = 40,
    l2_regularization: float = 1.0,
) -> FittedModel:
    """Fit boosted trees to the tenant's own rows."""
    _refuse_one_class(material.label, material.task)
    trees = Trees(max_iter, learning_rate, max_leaf_nodes, min_samples_leaf, l2_regularization)
    own = fit_trees(
        material.frame,
        material.label,
        task=material.task,
        trees=trees,
        seed=material.seed,
        texts=material.texts,
        classes=material.classes,
    )
    return FittedModel("boosted", material.task, "own", own=own)


@recipe("stacked")
def fit_stacked(
    material: Material, *, c: float = 0.05, min_frequency: int = 20, min_rows: int = 100
) -> FittedModel:
    """Fit a linear model to the tenant's own features and the out-of-fold pooled score."""
    pooled = _pooled(material)
    scores = material.out_of_fold()
    scored = np.isfinite(scores)
    if scored.sum() < min_rows:
        msg = f"fewer than {min_rows} rows are later than the first fold of the pooled model"
        raise TrainingError(msg)
    frame, label = material.frame[scored], material.label[scored]
    _refuse_one_class(label, material.task)
    frame = with_pooled_score(frame, scores[scored])
    own = fit_linear(
        frame,
        label,
        task=material.task,
        c=c,
        min_frequency=min_frequency,
        texts=material.texts,
        classes=material.classes,
    )
    return FittedModel("stacked", material.task, "stack", own=own, pooled=pooled)


@recipe("adapted")
def fit_adapted(material: Material, *, row_weight: float = 4.0) -> FittedModel:
    """Take the pooled model's trees, with leaf values moved towards the tenant's own rows.

    Each leaf's value is a mean of the pooled one and the tenant's, by the rows of each in it, where
    one of the tenant's counts for `row_weight` pooled ones.
    """
    leaves = material.leaves(row_weight)
    pooled = _pooled(material)
    return FittedModel("adapted", material.task, "pooled", pooled=pooled, leaves=leaves)


@recipe("blended")
def fit_blended(  # noqa: PLR0913 - what a spec may set
    material: Material,
    *,
    row_weight: float = 4.0,
    max_weight: float = 0.25,
    half_weight_rows: int = 5000,
    c: float = 0.05,
    min_frequency: int = 20,
) -> FittedModel:
    """Weigh the adapted pooled model and an own linear one, by how many rows the tenant has.

    The own model's weight is ``max_weight · n / (n + half_weight_rows)``: a tenant without rows
    gets the pooled model, one with very many `max_weight` of its own. A pooled model that cannot be
    adapted, as of several classes, is taken as it is.
    """
    pooled = _pooled(material)
    leaves = material.leaves(row_weight) if can_adapt(pooled, material.task) else None
    own = material.linear(c, min_frequency)
    rows = len(material.label)
    weight = material.seasoning * max_weight * rows / (rows + half_weight_rows)
    return FittedModel(
        "blended", material.task, "blend", own=own, pooled=pooled, leaves=leaves, weight=weight
    )


def has_one_class(label: Floats, task: Task) -> bool:
    """Return whether all labels are the same, so that there is nothing to tell apart."""
    return task != "regression" and len(np.unique(label)) < 2


def _pooled(material: Material) -> Pipeline:
    if material.pooled is None:
        msg = "there is no pooled model that saw nothing later than these rows"
        raise TrainingError(msg)
    return material.pooled


def _refuse_one_class(label: Floats, task: Task) -> None:
    if has_one_class(label, task):
        msg = f"all {len(label):,} labels are the same; nothing can be told apart"
        raise TrainingError(msg)
