"""What is known of one model: its records, and how it compares with what there was instead."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tenantry import layout
from tenantry.bootstrap import Gain, compare
from tenantry.columns import EVENT_TIME, LABEL
from tenantry.curves import Curves, read_curves
from tenantry.errors import ObjectMissingError
from tenantry.evaluations import CHALLENGER, POOLED, PRIOR, has_predictions, predictions_in
from tenantry.events import DECISIONS, Event, list_events, read_event
from tenantry.models.card import Card, read_card
from tenantry.parquet import from_parquet
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.training.folds import local_days

CHAMPION = "champion"


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a model.

    Attributes:
        spec: The tenant's spec: titles, units, and what it asks for.
        card: The model's card.
        curves: Its curves and drivers; None when it was never decided on.
        decision: The gate's last decision about it; None when there is none on record.
        gains: Rival (`champion`, `pooled`, `prior`) → the comparison on the holdout.
    """

    spec: Spec
    card: Card
    curves: Curves | None
    decision: Event | None
    gains: dict[str, Gain]


def read_model_facts(
    store: ObjectStore, spec: Spec, version: str, decision: Event | None = None
) -> ModelFacts:
    """Read what is known of a tenant's model.

    Args:
        store: The store.
        spec: The tenant's spec.
        version: The model.
        decision: The gate's about it; the last one on record when None.

    Raises:
        ModelFileError: There is no such model.
    """
    product, tenant = spec.product, spec.tenant
    card = read_card(store, product, tenant, version)
    return tell_model(
        spec,
        card,
        curves=read_curves(store, product, tenant, version),
        decision=decision or _last_decision(store, product, tenant, version),
        evaluation=_evaluation(store, product, tenant, version),
    )


def tell_model(
    spec: Spec,
    card: Card,
    *,
    curves: Curves | None,
    decision: Event | None,
    evaluation: pd.DataFrame | None,
) -> ModelFacts:
    """Tell what follows from a model's records.

    Args:
        spec: The tenant's spec.
        card: The model's card.
        curves: Its curves and drivers, if there are any.
        decision: The gate's about it, if there is one.
        evaluation: Its holdout with predictions, as training left it, if it did.
    """
    champion = _over_champion(decision, card.version)
    gains = {CHAMPION: champion} if champion else {}
    return ModelFacts(spec, card, curves, decision, gains | dict(_gains(evaluation, card, spec)))


def _last_decision(store: ObjectStore, product: str, tenant: str, version: str) -> Event | None:
    made = [
        name
        for name in list_events(store, product, tenant)
        if name.kind in DECISIONS and name.version == version
    ]
    return read_event(store, made[-1].key) if made else None


def _evaluation(store: ObjectStore, product: str, tenant: str, version: str) -> pd.DataFrame | None:
    key = f"{layout.model_folder(product, tenant, version)}evaluation.parquet"
    try:
        return from_parquet(store.get(key).content)
    except ObjectMissingError:
        return None


def _gains(evaluation: pd.DataFrame | None, card: Card, spec: Spec) -> Iterator[tuple[str, Gain]]:
    """Compare the challenger with the pooled model and the base rate, where there is evidence."""
    names = (CHALLENGER, POOLED, PRIOR)
    if evaluation is None or not all(has_predictions(evaluation, name) for name in names):
        return
    columns = {name: predictions_in(evaluation, name) for name in names}
    day = local_days(evaluation[EVENT_TIME], spec.timezone)
    if len(np.unique(day)) < 2 or not np.isfinite(columns[CHALLENGER]).all():
        return
    for name in (POOLED, PRIOR):
        rival = columns[name]
        if np.isfinite(rival).all() and name != card.recipe:
            yield (
                name,
                compare(
                    evaluation[LABEL].to_numpy(dtype="float64"),
                    columns[CHALLENGER],
                    rival,
                    day=day,
                    metric=card.metric,
                    confidence=spec.gate.confidence,
                    resamples=spec.gate.resamples,
                    seed=spec.model.seed,
                ),
            )


def _over_champion(decision: Event | None, version: str) -> Gain | None:
    """Return the comparison with the champion of then, as the gate made it."""
    evidence = decision.evidence if decision else {}
    is_about_it = evidence.get("challenger", version) == version
    if evidence.get("rival") != CHAMPION or not is_about_it:
        return None
    return Gain(
        challenger=float(evidence["challenger_score"] or 0.0),
        rival=float(evidence["rival_score"] or 0.0),
        low=float(evidence["gain_low"] or 0.0),
        high=float(evidence["gain_high"] or 0.0),
        rows=int(evidence["rows"] or 0),
        days=int(evidence["days"] or 0),
    )
