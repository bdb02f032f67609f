"""The pooled model: one model over the rows of all tenants of a residency zone that allow it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from tenantry.columns import EVENT_TIME, KNOWN_AT, LABEL, LABEL_KNOWN_AT, OWNER, TENANT
from tenantry.contract_batch import owned, owners_of
from tenantry.errors import TrainingError
from tenantry.features.recipe import build_features, pooled_features, pooled_frame
from tenantry.metrics import Floats
from tenantry.pooling import first_spec
from tenantry.specs.features import CongestionFeature, Feature, HistoryFeature, texts_of
from tenantry.specs.model import Spec
from tenantry.training.candidates import has_one_class
from tenantry.training.chain import Chain
from tenantry.training.folds import Mask, Spans, known_by, pooled_cuts
from tenantry.training.pipelines import Trees, fit_trees

MIN_ROWS = 100
"""Labelled rows below which there is no pooled model, and no fold of one."""

_TIMES = (EVENT_TIME, KNOWN_AT, LABEL_KNOWN_AT)
_PLACE = "_place"


@dataclass(frozen=True)
class PooledFit:
    """A pooled model and its folds.

    Attributes:
        pipeline: Fitted on all of the sample.
        folds: Cut → the same fitted on what was known at the cut.
        contributors: Tenant → rows of the sample.
    """

    pipeline: Pipeline
    folds: dict[datetime, Pipeline]
    contributors: dict[str, int]


def contribution(rows: pd.DataFrame, spec: Spec, as_of: datetime) -> pd.DataFrame:
    """Return a tenant's labelled rows as the pooled model takes them.

    Args:
        rows: The tenant's rows frame, as known at `as_of`.
        spec: The tenant's spec.
        as_of: The run's logical time.

    Returns:
        The pooled features, `tenant`, the reserved columns, and the place in the sample: a hash of
        tenant and key, which is the same whoever else contributes.
    """
    return pooled_rows(build_features(rows, pooled_features(spec), spec), spec, as_of)


def pooled_rows(table: pd.DataFrame, spec: Spec, as_of: datetime) -> pd.DataFrame:
    """Return what `contribution` does, of a feature table that holds the pooled features."""
    table = table[known_by(table, as_of)].reset_index(drop=True)
    return _placed(table, pooled_frame(table, spec), spec, spec.tenant)


def batch_contribution(rows: pd.DataFrame, specs: Sequence[Spec], as_of: datetime) -> pd.DataFrame:
    """Return what `contribution` does of each tenant of a batch, in another order.

    Args:
        rows: What `contract_batch.check_batch` returned: their rows, and whose each is.
        specs: The batch.
        as_of: The run's logical time.
    """
    spec = specs[0]
    features = {name: _by_owner(item) for name, item in pooled_features(spec).items()}
    table = build_features(rows, features, owned(spec))
    table = table[known_by(table, as_of)].reset_index(drop=True)
    names = pd.array([each.tenant for each in specs], dtype="str")
    tenants = pd.Series(names.take(owners_of(table)))
    return _placed(table, pooled_frame(table, spec).assign(**{TENANT: tenants}), spec, tenants)


def _by_owner(feature: Feature) -> Feature:
    """Return a feature that is made of rows of the same tenant alone."""
    if isinstance(feature, HistoryFeature | CongestionFeature):
        return feature.model_copy(update={"by": (OWNER, *feature.by)})
    return feature


def _placed(
    table: pd.DataFrame, frame: pd.DataFrame, spec: Spec, tenants: "pd.Series[Any] | str"
) -> pd.DataFrame:
    """Return what the pooled model sees of a table, with what the sample needs besides."""
    named = table[list(spec.key)].assign(**{TENANT: tenants})
    place = np.asarray(pd.util.hash_pandas_object(named, index=False))
    return pd.concat([frame, table[[LABEL, *_TIMES]]], axis=1).assign(**{_PLACE: place})


def pool_rows(contributions: Iterable[pd.DataFrame], max_rows: int) -> pd.DataFrame:
    """Return the sample: the `max_rows` rows that come first by their place.

    It depends on neither the order of the tenants nor on how they are batched. Memory is bounded
    by the cap and one tenant.

    Args:
        contributions: What `contribution` returned, one a tenant.
        max_rows: The cap.

    Returns:
        The sample by event time, then place.
    """
    parts: list[pd.DataFrame] = []
    for rows in contributions:
        parts.append(rows)
        if sum(map(len, parts)) > 2 * max_rows:
            parts = [_first(parts, max_rows)]
    pooled = _first(parts, max_rows) if parts else pd.DataFrame()
    return pooled.sort_values([EVENT_TIME, _PLACE], ignore_index=True) if len(pooled) else pooled


def _first(parts: Sequence[pd.DataFrame], max_rows: int) -> pd.DataFrame:
    """Return the rows that come first by their place."""
    whole = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    return whole.nsmallest(max_rows, _PLACE) if len(whole) > max_rows else whole


def fit_pooled(sample: pd.DataFrame, specs: Sequence[Spec], as_of: datetime) -> PooledFit:
    """Fit the pooled model at `as_of`, and a fold at each cut before it.

    Args:
        sample: What `pool_rows` returned.
        specs: All tenants of the zone, those that only receive included.
        as_of: The run's logical time.

    Raises:
        TrainingError: Too few rows, or one class only.
    """
    spec = first_spec(specs)
    everything = np.ones(len(sample), dtype=bool)
    reason = _too_little(sample, everything, spec)
    if reason:
        raise TrainingError(reason)
    first = sample[LABEL_KNOWN_AT].min().to_pydatetime()
    cuts = pooled_cuts(first, usual_spans(specs, as_of), spec.pooled.folds)
    known = {cut: known_by(sample, cut) for cut in cuts}
    folds = {
        cut: _fit(sample, rows, spec)
        for cut, rows in known.items()
        if not _too_little(sample, rows, spec)
    }
    counts = sample[TENANT].value_counts()
    contributors = {str(name): int(counts[name]) for name in sorted(counts.index)}
    return PooledFit(_fit(sample, everything, spec), folds, contributors)


def fit_chain(
    contributions: Iterable[pd.DataFrame], specs: Sequence[Spec], as_of: datetime, max_rows: int
) -> Chain | None:
    """Fit a pooled model and its folds where they are needed, without a store.

    Args:
        contributions: What `contribution` returned, one a tenant; empty ones are left out.
        specs: As for `fit_pooled`.
        as_of: The logical time.
        max_rows: The cap of the sample.

    Returns:
        None where nothing can be pooled: too few rows, or one class.
    """
    sample = pool_rows((rows for rows in contributions if len(rows)), max_rows)
    if not len(sample):
        return None
    try:
        fit = fit_pooled(sample, specs, as_of)
    except TrainingError:
        return None
    return Chain((*sorted(fit.folds.items()), (as_of, fit.pipeline)))


def usual_spans(specs: Sequence[Spec], as_of: datetime) -> Spans:
    """Return the spans that most tenants have; others are served by the latest earlier fold."""
    counts = Counter((spec.gate.holdout, spec.model.validation) for spec in specs)
    most = max(counts.values())
    holdout, validation = min(spans for spans, count in counts.items() if count == most)
    return Spans(as_of - holdout - validation, as_of - holdout, as_of)


def _too_little(sample: pd.DataFrame, rows: Mask, spec: Spec) -> str:
    if rows.sum() < MIN_ROWS:
        return f"{int(rows.sum()):,} labelled rows to pool, {MIN_ROWS:,} needed"
    label: Floats = sample.loc[rows, LABEL].to_numpy(dtype="float64")
    if has_one_class(label, spec.label.task):
        return f"all {len(label):,} labels to pool are the same"
    return ""


def _fit(sample: pd.DataFrame, rows: Mask, spec: Spec) -> Pipeline:
    features = [*spec.pooled.features, TENANT]
    label = sample.loc[rows, LABEL].to_numpy(dtype="float64")
    return fit_trees(
        sample.loc[rows, features],
        label,
        task=spec.label.task,
        trees=_trees(spec),
        seed=spec.model.seed,
        texts=texts_of(spec.pooled.features),
        classes=len(spec.classes),
    )


def _trees(spec: Spec) -> Trees:
    unknown = sorted(set(spec.pooled.parameters) - set(vars(Trees())))
    if unknown:
        known = ", ".join(vars(Trees()))
        msg = f"pooled.parameters: has no {', '.join(unknown)}; its parameters are {known}"
        raise TrainingError(msg)
    return Trees(**spec.pooled.parameters)  # type: ignore[arg-type] # YAML says int or float
