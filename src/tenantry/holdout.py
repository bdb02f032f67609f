"""The rows on which a challenger is compared, and what each model says of them.

The challenger's part is predicted by its recipe as fitted before the holdout (`train` leaves it as
``evaluation.parquet``), since the model that is shipped has seen these rows.
"""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import pandas as pd

from tenantry.champions import Reign
from tenantry.columns import EVENT_TIME, LABEL
from tenantry.errors import ScoringError
from tenantry.evaluations import CHALLENGER, POOLED, PRIOR, predictions_in
from tenantry.gate import Holdout, Incumbent
from tenantry.metrics import Floats
from tenantry.models.fitted import FittedModel
from tenantry.scoring import predict_rows
from tenantry.slices import gate_slices
from tenantry.specs.model import Spec
from tenantry.training.folds import local_days


def against_alternatives(evaluation: pd.DataFrame, table: pd.DataFrame, spec: Spec) -> Holdout:
    """Compare a first challenger with what the tenant could have instead.

    Args:
        evaluation: The holdout's labelled rows with the columns `challenger`, `pooled` and `prior`;
            NaN where there was no such model yet.
        table: The feature table they come from.
        spec: The tenant's spec.
    """
    rivals = {name: predictions_in(evaluation, name) for name in (POOLED, PRIOR)}
    there = {name: values for name, values in rivals.items() if np.isfinite(values).all()}
    rows = features_of(evaluation, table, spec) if spec.gate.slices else evaluation
    return make_holdout(evaluation, rows, there, spec)


def against_champion(
    evaluation: pd.DataFrame, table: pd.DataFrame, model: FittedModel, reign: Reign, spec: Spec
) -> tuple[Holdout, str]:
    """Compare a challenger with the champion on the rows that the champion has not seen either.

    Args:
        evaluation: The holdout's labelled rows, as `train` left them.
        table: The feature table they come from.
        model: The champion.
        reign: Its reign.
        spec: The tenant's spec.

    Returns:
        The holdout, and why the champion cannot score it (then it has no rival); else empty.
    """
    unseen = evaluation[evaluation[EVENT_TIME] >= reign.trained_until]
    rows = features_of(unseen, table, spec)
    try:
        predicted = predict_rows(model, rows, spec)
    except ScoringError as error:
        return make_holdout(unseen, rows, {}, spec), str(error)
    return make_holdout(unseen, rows, {"champion": predicted}, spec), ""


def describe(reign: Reign, spec: Spec, as_of: datetime, *, unable: str = "") -> Incumbent:
    """Tell the gate about the champion.

    Args:
        reign: Its reign.
        spec: The tenant's spec.
        as_of: The run's logical time.
        unable: Why it cannot score the holdout; empty when it can.
    """
    age = as_of - reign.trained_until
    return Incumbent(
        age=age,
        stale=age >= spec.train.every,
        changed=reign.training_digest != spec.training_digest,
        unable=unable,
    )


def features_of(rows: pd.DataFrame, table: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """Return the table's rows for those of an evaluation, in its order."""
    keys = list(spec.key)
    return rows[keys].merge(table, on=keys, how="left", validate="one_to_one")


def make_holdout(
    rows: pd.DataFrame, features: pd.DataFrame, rivals: Mapping[str, Floats], spec: Spec
) -> Holdout:
    """Make what the gate compares on.

    Args:
        rows: The labelled rows of an evaluation, or some of them.
        features: What `features_of` returns for them; anything where no slice is looked at.
        rivals: What the others predicted of these rows.
        spec: The tenant's spec.
    """
    slices = gate_slices(features, rows[EVENT_TIME], spec)
    return Holdout(
        label=rows[LABEL].to_numpy(dtype=np.float64),
        day=local_days(rows[EVENT_TIME], spec.timezone),
        challenger=predictions_in(rows, CHALLENGER),
        rivals=rivals,
        slices={name: values.to_numpy(dtype=np.str_) for name, values in slices.items()},
    )
