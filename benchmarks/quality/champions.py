"""Champions as the pipeline crowns them, and what they are worth beside the pooled model."""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from benchmarks.quality.paired import Trial
from tenantry.champions import Reign
from tenantry.columns import EVENT_TIME, LABEL
from tenantry.gate import decide
from tenantry.holdout import against_alternatives, against_champion, describe
from tenantry.models.fitted import FittedModel
from tenantry.specs.model import Spec
from tenantry.training.folds import local_days
from tenantry.training.lessons import Lessons
from tenantry.training.tenant import train_tenant

CHAMPION, POOLED = "champion", "pooled"


@dataclass(frozen=True)
class Champion:
    """Who reigns over a tenant.

    Attributes:
        model: The model.
        since: When it was trained.
    """

    model: FittedModel
    since: datetime


def succeed(champion: Champion | None, lessons: Lessons, as_of: datetime) -> Champion:
    """Train a challenger and let the gate decide, as `train` and `promote` do."""
    spec = lessons.spec
    trained = train_tenant(lessons, as_of)
    if champion is None:
        holdout = against_alternatives(trained.evaluation, lessons.table, spec)
        choice = decide(holdout, None, gate=spec.gate, model=spec.model).choice
        model = trained.model if choice == "challenger" else lessons.fit(choice, as_of)
        return Champion(model, as_of)
    reign = _reign(champion, spec)
    holdout, unable = against_champion(
        trained.evaluation, lessons.table, champion.model, reign, spec
    )
    incumbent = describe(reign, spec, as_of, unable=unable)
    decision = decide(holdout, incumbent, gate=spec.gate, model=spec.model)
    return Champion(trained.model, as_of) if decision.promote else champion


def _reign(champion: Champion, spec: Spec) -> Reign:
    return Reign(
        since=champion.since,
        version="any",
        digest="any",
        trained_until=champion.since,
        training_digest=spec.training_digest,
        recipe=champion.model.recipe,
        gate="",
        run="bench",
    )


def against_pooled(
    champion: Champion, lessons: Lessons, as_of: datetime, rows: pd.DataFrame, *, part: str
) -> Trial:
    """Test a champion, and the pooled model of that moment, on later rows.

    Args:
        champion: Who reigns.
        lessons: The tenant's rows as they were known.
        as_of: When.
        rows: Labelled rows of the tenant's feature table; without any, nothing is predicted.
        part: Which part of the benchmark's test this is.
    """
    spec = lessons.spec
    one = Trial(
        spec.tenant,
        rows[LABEL].to_numpy(dtype="float64"),
        local_days(rows[EVENT_TIME], spec.timezone),
        recipe=champion.model.recipe,
        part=part,
    )
    if len(rows):
        one.predicted[CHAMPION] = champion.model.predict(rows, spec)
        one.predicted[POOLED] = lessons.fit("pooled", as_of).predict(rows, spec)
    return one
