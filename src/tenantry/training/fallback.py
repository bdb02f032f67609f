"""The model a tenant gets instead of a first challenger that is worse than it."""

from typing import Literal

import pandas as pd

from tenantry import layout
from tenantry.evaluations import CHALLENGER, predictions_in, with_predictions
from tenantry.models.card import Card, PooledCard, PooledPart
from tenantry.models.files import load_pooled, save_model
from tenantry.models.fitted import FittedModel
from tenantry.parquet import to_parquet
from tenantry.rules import settle_rules
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.training.chain import Chain
from tenantry.training.lessons import Lessons

Choice = Literal["pooled", "prior"]


def save_fallback(  # noqa: PLR0913 - what a model is made from
    store: ObjectStore,
    spec: Spec,
    table: pd.DataFrame,
    *,
    choice: Choice,
    challenger: Card,
    evaluation: pd.DataFrame,
    pooled: PooledCard | None,
) -> tuple[FittedModel, Card]:
    """Save the pooled model, or the base rate, as a version of the tenant's own.

    Args:
        store: The object store.
        spec: The tenant's spec.
        table: Its feature table, as known at the challenger's `as_of`.
        choice: Which.
        challenger: The card of the challenger in whose place it stands.
        evaluation: The challenger's holdout, with a column of predictions by that choice.
        pooled: The pooled model's card; needed for ``pooled``.

    Returns:
        The model and its card, as saved.

    Raises:
        TrainingError: There is no pooled model, or no label was known.
        ModelFileError: The pooled model's file is not what its card says.
    """
    links = ((pooled.as_of, load_pooled(store, pooled)),) if pooled else ()
    lessons = Lessons(table, spec, Chain(links) if links else None)
    model = lessons.fit(choice, challenger.as_of)
    part = None
    if pooled is not None and model.pooled is not None:
        part = PooledPart(zone=pooled.zone, version=pooled.version, digest=pooled.file_digest)
    promised = challenger.holdout.get(choice)
    own = with_predictions(evaluation, CHALLENGER, predictions_in(evaluation, choice))
    rules = settle_rules(spec, own)
    found = {
        "recipe": model.recipe,
        "form": model.form,
        "weight": model.weight,
        "slope": model.slope,
        "intercept": model.intercept,
        "pooled": part,
        "selection": f"instead of {challenger.version} ({challenger.recipe}), which was worse",
        "holdout": challenger.holdout | ({CHALLENGER: promised} if promised else {}),
        "slices": (),
        "threshold": rules.threshold,
        "interval": (rules.interval.low, rules.interval.high) if rules.interval else None,
    }
    card = save_model(store, model, challenger.model_copy(update=found))
    folder = layout.model_folder(card.product, card.tenant, card.version)
    store.put(f"{folder}evaluation.parquet", to_parquet(own))
    return model, card
