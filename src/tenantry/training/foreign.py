"""Recipes of others, ``module:function``: imported where the platform allows it, and checked."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

import pandas as pd

from tenantry.errors import ModelFileError, TrainingError
from tenantry.models.archive import pack
from tenantry.models.attribution import is_explained
from tenantry.models.fitted import FittedModel
from tenantry.recipes import allowed_recipes

_ROWS = 20
"""Rows on which it is tried whether a model's reasons add up."""


def load_recipe(name: str) -> Callable[..., object]:
    """Import a recipe that the platform allows.

    Args:
        name: ``module:function``.

    Raises:
        TrainingError: It is not on the platform's list, or cannot be imported.
    """
    place = f"model.candidates.{name}"
    if name not in allowed_recipes():
        msg = (
            f"{place}: is not among the recipes that the platform allows; "
            "ask it to list it in the file that TENANTRY_RECIPES names"
        )
        raise TrainingError(msg)
    module, _, function = name.partition(":")
    try:
        found = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        remedy = "install it in the image of train, or take it off the list"
        msg = f"{place}: cannot be imported ({type(error).__name__}); {remedy}"
        raise TrainingError(msg) from None
    if not callable(found):
        msg = f"{place}: is no function"
        raise TrainingError(msg)
    recipe: Callable[..., object] = found
    return recipe


def check_model(name: str, model: object, frame: pd.DataFrame) -> FittedModel:
    """Return what a recipe of others made, if it is all that a model has to be.

    Args:
        name: ``module:function``.
        model: What it returned.
        frame: The tenant's features that it was fitted on.

    Raises:
        TrainingError: It is no model, holds a type that is not allowed, or its reasons do not add
            up to its scores.
    """
    place = f"model.candidates.{name}"
    if not isinstance(model, FittedModel):
        msg = f"{place}: returned a {type(model).__name__}, not a FittedModel"
        raise TrainingError(msg)
    try:
        pack({"own": model.own})
    except ModelFileError as error:
        msg = f"{place}: {error}; list them as its types in the file that TENANTRY_RECIPES names"
        raise TrainingError(msg) from None
    if model.form == "stack" or not (model.own is None or is_explained(model.own, frame[:_ROWS])):
        msg = (
            f"{place}: its reasons do not add up to its scores; end its pipeline in a linear model "
            "or HistGradientBoosting, and let each encoder keep one column a feature, or be one-hot"
        )
        raise TrainingError(msg)
    return replace(model, recipe=name)
