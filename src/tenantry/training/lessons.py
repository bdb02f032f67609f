"""A tenant's feature table as recipes take it: what could be learned at which moment."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from tenantry.columns import EVENT_TIME, KNOWN_AT, LABEL
from tenantry.errors import TrainingError
from tenantry.features.recipe import own_frame, pooled_frame
from tenantry.metrics import Floats
from tenantry.models.fitted import FittedModel
from tenantry.models.leaves import Fallen, fall, has_single_trees, node_values
from tenantry.models.link import from_link
from tenantry.specs.features import texts_of
from tenantry.specs.model import Spec
from tenantry.training.candidates import Material, fit_candidate
from tenantry.training.chain import Chain
from tenantry.training.folds import Mask, Spans, happened_in, has_label, known_by, local_days

WITHOUT_ROWS = ("pooled", "adapted")
"""Recipes that give the pooled model where a tenant has no labelled row."""


@dataclass(frozen=True)
class Lessons:
    """All that a tenant's models can be fitted on.

    Attributes:
        table: The tenant's feature table.
        spec: Its spec.
        chain: The pooled model and its folds; None when there is none or it may not be received.
    """

    table: pd.DataFrame
    spec: Spec
    chain: Chain | None

    @cached_property
    def label(self) -> Floats:
        """Each row's label; NaN where there is none."""
        return self.table[LABEL].to_numpy(dtype="float64")

    @cached_property
    def days(self) -> NDArray[np.int64]:
        """Each row's local day, as a whole number."""
        return local_days(self.table[EVENT_TIME], self.spec.timezone)

    @cached_property
    def pooled_scores(self) -> Floats:
        """What the pooled model said of each row before it had seen it; NaN where none could."""
        if self.chain is None:
            return np.full(len(self.table), np.nan)
        return self.chain.out_of_fold(self._pooled_frame, self.table[KNOWN_AT])

    def known(self, moment: datetime) -> Mask:
        """Return which rows could be learned from at `moment`; see `folds.known_by`."""
        if moment not in self._known:
            self._known[moment] = known_by(self.table, moment)
        return self._known[moment]

    def held_out(self, spans: Spans) -> Mask:
        """Return the labelled rows of [holdout, as_of)."""
        return happened_in(self.table, spans.holdout, spans.as_of) & has_label(self.table)

    @cached_property
    def _known(self) -> dict[datetime, Mask]:
        return {}

    @cached_property
    def _materials(self) -> dict[datetime, Material]:
        return {}

    def until(self, moment: datetime) -> Material:
        """Return what could be learned at `moment`."""
        if moment not in self._materials:
            self._materials[moment] = self._gather(moment)
        return self._materials[moment]

    @cached_property
    def _fallen(self) -> dict[Pipeline, tuple[Mask, Fallen]]:
        return {}

    def _falls(self, pooled: Pipeline, rows: Mask) -> Fallen:
        """Return where rows fall in a pooled model; a row goes through it once, if it is asked."""
        known, fallen = self._fallen.get(pooled) or (np.zeros_like(rows), None)
        new = rows & ~known
        if fallen is None or new.any():
            more = fall(pooled, self._pooled_frame[new])
            fallen = fallen.joined(known, more, new) if fallen else more
            known = known | new
            self._fallen[pooled] = known, fallen
        return fallen.only(rows[known])

    @cached_property
    def own_frame(self) -> pd.DataFrame:
        """What the tenant's own model sees of each row."""
        return own_frame(self.table, self.spec).copy()  # in one piece: rows are taken often

    @cached_property
    def _pooled_frame(self) -> pd.DataFrame:
        return pooled_frame(self.table, self.spec)

    def _gather(self, moment: datetime) -> Material:
        rows = self.known(moment)
        pooled = self.chain.before(moment) if self.chain else None
        return Material(
            frame=self.own_frame[rows],
            label=self.label[rows],
            pooled=pooled,
            fallen=lambda: self._falls(pooled, rows),
            out_of_fold=lambda: self.pooled_scores[rows],
            task=self.spec.label.task,
            days=len(np.unique(self.days[rows])),
            seed=self.spec.model.seed,
            texts=texts_of(self.spec.features),
            classes=len(self.spec.classes),
        )

    def fit(self, name: str, moment: datetime) -> FittedModel:
        """Fit a candidate of the spec on what could be learned at `moment`.

        Raises:
            TrainingError: What was known then does not allow it.
        """
        material = self.until(moment)
        if not len(material.label) and name not in WITHOUT_ROWS:
            msg = "no label was known then"
            raise TrainingError(msg)
        model = fit_candidate(name, material, self.spec.model.candidates.get(name, {}))
        return replace(model, classes=self.spec.classes) if self.spec.classes else model

    def predict(self, model: FittedModel, rows: Mask) -> Floats:
        """Predict some of the rows: probabilities, or values; of K classes (n, K)."""
        own = self.own_frame[rows] if model.own is not None else None
        if model.pooled is None or not has_single_trees(model.pooled):
            pooled = self._pooled_frame[rows] if model.pooled is not None else None
            return from_link(model.score_frames(own, pooled), model.task)
        values = node_values(model.pooled) if model.leaves is None else model.leaves
        shared = self._falls(model.pooled, rows).scores(values)
        return from_link(model.score_with(own, shared), model.task)
