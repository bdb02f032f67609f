"""Logged answers to single rows, measured beside the batch's predictions of the same window."""

import logging
from datetime import datetime

import numpy as np
import pandas as pd

from tenantry.columns import EVENT_TIME, LABEL
from tenantry.errors import ObjectMissingError
from tenantry.evaluations import predictions_in
from tenantry.figures import TITLES, figure
from tenantry.metrics import measure
from tenantry.monitoring.gather import read_predictions
from tenantry.monitoring.judgements import Judgement, ServedQuality
from tenantry.monitoring.measure import read_numbers
from tenantry.monitoring.streams import PREDICTION
from tenantry.served import ANSWERED_AT, Role, ServedReceipt, read_served
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.text import counted
from tenantry.times import Window

LOG = logging.getLogger(__name__)


def with_answers(
    store: ObjectStore, spec: Spec, table: pd.DataFrame, judgement: Judgement, as_of: datetime
) -> Judgement:
    """Return a judgement that tells how good the logged answers of its window were, too.

    Args:
        store: The store.
        spec: The tenant's spec; where it logs nothing, nothing is looked for.
        table: Its feature table, with the labels that are known.
        judgement: The judgement of a window.
        as_of: Only what was answered as of this moment (logical time) or before is read.

    Returns:
        That judgement; as it is where the answers cannot be read, for they are only a sample.
    """
    if not spec.serving.is_logged or judgement.status == "not_predicted" or table.empty:
        return judgement
    try:
        served = measure_answers(store, spec, table, judgement.span, as_of)
    except (ObjectMissingError, ValueError) as error:  # erased since it was listed, or damaged
        told = str(error) if isinstance(error, ObjectMissingError) else type(error).__name__
        LOG.warning("%s/%s: logged answers are not read: %s", spec.product, spec.tenant, told)
        return judgement
    sentence = " ".join([judgement.sentence, *map(_say, served)])
    return judgement.model_copy(update={"served": served, "sentence": sentence})


def measure_answers(
    store: ObjectStore, spec: Spec, table: pd.DataFrame, window: Window, as_of: datetime
) -> tuple[ServedQuality, ...]:
    """Measure the logged answers of a window, by role and version.

    Args:
        store: The store.
        spec: The tenant's spec.
        table: Its feature table, with the labels that are known.
        window: The window in which the rows' events lie.
        as_of: Only what was answered as of this moment (logical time) or before is read.
    """
    by_model: dict[tuple[Role, str], list[ServedReceipt]] = {}
    for receipt in read_served(store, spec.product, spec.tenant, window, until=as_of):
        by_model.setdefault((receipt.role, receipt.model), []).append(receipt)
    labels = table[[*spec.key, LABEL]]
    return tuple(
        _measure(store, spec, labels, receipts) for _, receipts in sorted(by_model.items())
    )


def _measure(
    store: ObjectStore, spec: Spec, labels: pd.DataFrame, receipts: list[ServedReceipt]
) -> ServedQuality:
    model, key = receipts[0], list(spec.key)
    parts = [read_predictions(store, spec, one.file.key, ANSWERED_AT) for one in receipts]
    answers = pd.concat(parts, ignore_index=True)
    last = answers.sort_values(ANSWERED_AT, kind="stable").drop_duplicates(key, keep="last")
    unseen = last[last[EVENT_TIME] >= model.trained_until]
    rows = read_numbers(unseen.merge(labels, on=key, how="left"))
    labelled = rows[rows[LABEL].notna() & np.isfinite(rows[PREDICTION])]
    label = labelled[LABEL].to_numpy(dtype=np.float64)
    predicted = predictions_in(labelled, PREDICTION)
    enough = len(labelled) >= spec.monitor.min_rows
    was, said = label, predicted
    if predicted.ndim == 2:  # of several classes: how often right, and how sure
        was, said = predicted.argmax(axis=1) == label, predicted.max(axis=1)
    return ServedQuality(
        model=model.model,
        role=model.role,
        answers=len(answers),
        rows=len(rows),
        labelled=len(labelled),
        metric=spec.model.metric,
        realised=measure(spec.model.metric, label, predicted) if enough else None,
        mean_prediction=float(said.mean()) if len(said) else None,
        mean_label=float(was.mean()) if len(was) else None,
    )


def _say(one: ServedQuality) -> str:
    who = "The champion" if one.role == "champion" else "The challenger"
    told = f"{who} {one.model} was asked for single rows: {counted(one.rows, 'row')} logged"
    if one.realised is None:
        return f"{told}, {one.labelled:,} with a label."
    metric = TITLES.get(one.metric, one.metric)
    return f"{told}, {metric} {figure(one.realised)} on {one.labelled:,} with a label."
