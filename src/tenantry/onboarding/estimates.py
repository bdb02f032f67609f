"""How good predictions for a new tenant may be, before anything is trained for it."""

from collections.abc import Callable, Iterable
from datetime import datetime

import numpy as np
import pandas as pd

from tenantry.bootstrap import compare, level_interval
from tenantry.columns import EVENT_TIME, LABEL
from tenantry.erasure.tombstones import read_marks
from tenantry.errors import TenantryError, TrainingError
from tenantry.evaluations import CHALLENGER, PRIOR, predictions_in
from tenantry.features.recipe import build_features, table_features
from tenantry.figures import TITLES, figure
from tenantry.metrics import Floats, roc_auc
from tenantry.models.card import read_pooled_card
from tenantry.models.link import from_link
from tenantry.pooling import find_standing, split_zones
from tenantry.records import Record
from tenantry.sources.collect import collect_rows
from tenantry.sources.connections import Connections
from tenantry.specs.load import Fleet
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.training.chain import Chain, load_chain
from tenantry.training.folds import local_days
from tenantry.training.lessons import Lessons
from tenantry.training.pooled import contribution, fit_chain
from tenantry.training.tenant import train_tenant

MOST_TENANTS = 12
MOST_ROWS = 20_000
"""Where the store holds no pooled model, one is made for the estimate, of so much at most."""

_CONFIDENCE = 0.95
_RESAMPLES = 1_000
_FEW = 20


class Estimate(Record):
    """What a model that never saw the tenant, or was fitted before, says of its labelled rows.

    Attributes:
        model: `pooled`: other tenants' model, which knows nothing of it; `own`: what training
            would choose, fitted on what was known before the holdout.
        of: What that model is, in words.
        metric: The spec's; lower is better.
        score: Its value.
        low: Lower bound of its 95 % interval, days as blocks.
        high: Upper bound.
        rival: The value of always predicting the tenant's own mean, known only afterwards.
        gain_low: Lower bound of what the model gains over that, paired.
        gain_high: Upper bound.
        rows: Labelled rows that were predicted.
        days: Different days among them.
        auc: ROC AUC of a classification; None otherwise.
    """

    model: str
    of: str
    metric: str
    score: float
    low: float
    high: float
    rival: float
    gain_low: float
    gain_high: float
    rows: int
    days: int
    auc: float | None = None

    @property
    def is_worse(self) -> bool:
        """Whether the model is surely worse than the tenant's own mean."""
        return self.gain_high < 0

    @property
    def sentence(self) -> str:
        """The estimate in words."""
        auc = f", ROC AUC {figure(self.auc)}" if self.auc is not None else ""
        verdict = (
            "better"
            if self.gain_low > 0
            else "worse"
            if self.is_worse
            else "not surely better or worse"
        )
        return (
            f"{TITLES[self.metric]} {figure(self.score)} ({figure(self.low)} to "
            f"{figure(self.high)}){auc} by {self.of}, on {self.rows:,} labelled rows of "
            f"{self.days:,} days; {verdict} than always predicting the tenant's mean "
            f"({figure(self.rival)})"
        )


def estimate_quality(
    rows: pd.DataFrame, spec: Spec, chain: Chain | None, as_of: datetime, *, of: str
) -> Estimate:
    """Estimate how good predictions for a tenant may be.

    Args:
        rows: Its rows frame, as known at `as_of`.
        spec: Its spec.
        chain: The pooled model and its folds, none of which saw the tenant; None without one.
        as_of: The logical time.
        of: What the pooled model is, in words.

    Raises:
        TrainingError: There is too little to say anything.
    """
    stranger = spec.model_copy(
        update={"pooling": spec.pooling.model_copy(update={"contribute": False})}
    )
    table = build_features(rows, table_features(stranger), stranger)
    lessons = Lessons(table, stranger, chain)
    if chain is None or spec.classes:
        return _own(lessons, as_of)
    scores = lessons.pooled_scores
    is_scored = np.isfinite(scores).reshape(len(table), -1).all(axis=1)
    known = lessons.known(as_of) & is_scored
    return _measure(("pooled", of), table[known], from_link(scores[known], spec.label.task), spec)


def _own(lessons: Lessons, as_of: datetime) -> Estimate:
    trained = train_tenant(lessons, as_of)
    evaluation = trained.evaluation
    predicted = predictions_in(evaluation, CHALLENGER)
    if not len(evaluation) or not np.isfinite(predicted).all():
        msg = "there is no pooled model yet, and too few of its own rows before gate.holdout"
        raise TrainingError(msg)
    of = f"what its own rows of before the holdout give ({trained.selection.recipe})"
    rival = predictions_in(evaluation, PRIOR)
    return _measure(("own", of), evaluation, predicted, lessons.spec, rival)


def _measure(
    words: tuple[str, str],
    rows: pd.DataFrame,
    predicted: Floats,
    spec: Spec,
    rival: Floats | None = None,
) -> Estimate:
    model, of = words
    label = rows[LABEL].to_numpy(dtype="float64")
    day = local_days(rows[EVENT_TIME], spec.timezone) if len(rows) else np.empty(0, dtype=np.int64)
    if len(label) < _FEW or len({*day}) < 2:
        msg = f"{len(label):,} labelled rows that a model had not seen are too few to say"
        raise TrainingError(msg)
    metric = spec.model.metric
    if rival is None or not np.isfinite(rival).all():
        rival = _mean(label, predicted)
    gain = compare(
        label,
        predicted,
        rival,
        day=day,
        metric=metric,
        confidence=_CONFIDENCE,
        resamples=_RESAMPLES,
        seed=spec.model.seed,
    )
    low, high = level_interval(label, predicted, day=day, metric=metric, confidence=_CONFIDENCE)
    is_flag = spec.label.task == "classification"
    return Estimate(
        model=model,
        of=of,
        metric=metric,
        score=gain.challenger,
        low=low,
        high=high,
        rival=gain.rival,
        gain_low=gain.low,
        gain_high=gain.high,
        rows=gain.rows,
        days=gain.days,
        auc=roc_auc(label, predicted) if is_flag else None,
    )


def _mean(label: Floats, predicted: Floats) -> Floats:
    if predicted.ndim == 1:
        return np.full(len(label), label.mean())
    shares = np.bincount(label.astype(int), minlength=predicted.shape[1]) / len(label)
    return np.tile(shares, (len(label), 1))


def find_chain(
    tenant: str, fleet: Fleet, connections: Connections, store: ObjectStore, as_of: datetime
) -> tuple[Chain | None, str]:
    """Return the pooled model that a new tenant would get, and what it is, in words.

    It is the one in the store, or else made of some tenants of its residency zone here and now.
    None where there is nothing to pool, or the tenant receives no pooled model.

    Raises:
        ModelFileError: The one in the store is not what its card says.
    """
    spec = fleet.specs[tenant]
    others = [one for name, one in fleet.specs.items() if name != tenant]
    zones = (zone for zone in split_zones(others, as_of) if zone.name == spec.residency.zone)
    zone = next(zones, None)
    if zone is None or not spec.pooling.receive:
        return None, ""
    standing = find_standing(zone, store)
    if standing.reign is not None and standing.is_usable:
        version = standing.reign.version
        card = read_pooled_card(store, fleet.product, zone.name, version)
        return load_chain(store, card), f"the pooled model {version}"
    marks = read_marks(store, fleet.product)
    apart = {*marks.tenants, *marks.rows}
    willing = [one for one in zone.contributing if one.tenant not in apart]

    def collect(one: Spec) -> pd.DataFrame:
        return collect_rows(one, connections, as_of).rows

    return pool_others(willing, collect, as_of) or (None, "")


def pool_others(
    others: Iterable[Spec], collect: Callable[[Spec], pd.DataFrame], as_of: datetime
) -> tuple[Chain, str] | None:
    """Fit a small pooled model of other tenants' rows, for the estimate alone.

    Args:
        others: The tenants that contribute, the new one not among them.
        collect: Reads a tenant's rows frame.
        as_of: The logical time.

    Returns:
        The model with its folds and what it is, in words; None where nothing can be pooled.
    """
    specs, given = [], []
    for spec in [*others][:MOST_TENANTS]:
        try:
            rows = contribution(collect(spec), spec, as_of)
        except TenantryError:
            continue
        if len(rows):
            specs.append(spec)
            given.append(rows)
    chain = fit_chain(given, specs, as_of, MOST_ROWS)
    if chain is None:
        return None
    noun = "another tenant" if len(specs) == 1 else f"{len(specs)} other tenants"
    return chain, f"a model of {noun}, made for this estimate"
