"""A packed model: what `models.fitted.FittedModel` says, without scikit-learn's checks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, get_args

import numpy as np

from tenantry.columns import POOLED_SCORE
from tenantry.models.card import Form, Task
from tenantry.models.link import from_link
from tenantry.packed.columns import Columns, Floats, Frame, Row
from tenantry.packed.linear import PackedLinear
from tenantry.packed.parts import P, Parts, added, scaled
from tenantry.packed.trees import PackedTrees

Part = PackedLinear | PackedTrees
"""A packed pipeline."""

_EXPLAINED = "explained_bytes"

Score = TypeVar("Score", float, Floats)


@dataclass(frozen=True)
class PackedModel:
    """A tenant's model as arrays; forms and calibration are those of `FittedModel`.

    Attributes:
        form: How the two parts make a score.
        task: What it predicts; not ``multiclass``.
        own: Of the tenant's rows; None for ``pooled``.
        pooled: Of all tenants' rows; None for ``own``.
        leaves: Values of the pooled trees' nodes, adapted to the tenant; None for the pooled ones.
        weight: Of the own part in a ``blend``.
        slope: Of the calibration.
        intercept: Of the calibration.

    Raises:
        ValueError: A form or task that is not packed, or a part that the form needs is missing.
    """

    form: Form
    task: Task
    own: Part | None = None
    pooled: Part | None = None
    leaves: Floats | None = None
    weight: float = 0.0
    slope: float = 1.0
    intercept: float = 0.0

    def __post_init__(self) -> None:
        lacks_own = self.own is None and self.form != "pooled"
        lacks_pooled = self.pooled is None and self.form != "own"
        is_known = self.form in get_args(Form) and self.task in ("classification", "regression")
        if lacks_own or lacks_pooled or not is_known:
            msg = f"no packed model of form {self.form!r} for {self.task!r} has these parts"
            raise ValueError(msg)

    @cached_property
    def shared(self) -> Part | None:
        """The pooled part as it serves this tenant: with its own leaf values, if it has any.

        Raises:
            ValueError: Its leaf values are not as many as the pooled trees' nodes.
        """
        if self.leaves is None or not isinstance(self.pooled, PackedTrees):
            return self.pooled
        return self.pooled.with_values(self.leaves)

    def predict(self, own: Frame, pooled: Frame) -> Floats:
        """Return the probabilities, or values, of n rows.

        Args:
            own: Rows of the tenant's feature table; not looked at by ``pooled``.
            pooled: The same rows as `packed.frames.pooled_view` or
                `features.recipe.pooled_frame` gives them; not looked at by ``own``.

        Raises:
            KeyError: A frame lacks a feature.
            ValueError: A number is a text.
        """
        return from_link(self.score(own, pooled), self.task)

    def score(self, own: Frame, pooled: Frame) -> Floats:
        """Return the scores of n rows in link space; see `predict`."""
        shared = self.shared.score(pooled) if self.shared is not None else np.zeros(len(own))
        mine = np.zeros(len(pooled))
        if self.own is not None:
            mine = self.own.score(self._fed(self.own, own, shared))
        return self._joined(mine, shared)

    def predict_row(self, own: Row, pooled: Row) -> float:
        """Return the probability, or value, of one row; see `predict`."""
        shared = self.shared.score_row(pooled) if self.shared is not None else 0.0
        fed = {**own, POOLED_SCORE: shared} if self.form == "stack" else own
        mine = self.own.score_row(fed) if self.own is not None else 0.0
        score = self._joined(mine, shared)
        return score if self.task == "regression" else 0.5 * (1.0 + math.tanh(0.5 * score))

    def parts(self, own: Frame, pooled: Frame, columns: Mapping[str, str]) -> Parts[Floats]:
        """Take the scores of n rows apart, in link space; see `tenantry.explain`.

        Args:
            own: As for `predict`.
            pooled: As for `predict`.
            columns: Feature of the pooled model → the column of the tenant's table that holds it
                (`features.recipe.pooled_columns`), by which its part is named.

        Raises:
            KeyError: A frame lacks a feature.
            ValueError: A number is a text.
        """
        mine, shared = Parts[Floats](0.0, {}), Parts[Floats](0.0, {})
        if self.shared is not None:
            shared = self.shared.parts(pooled).renamed(columns)
        if self.own is not None:
            mine = self.own.parts(self._fed(self.own, own, shared.total))
        return self._joined_parts(mine, shared)

    def parts_row(self, own: Row, pooled: Row, columns: Mapping[str, str]) -> Parts[float]:
        """Take the score of one row apart, in some tens of microseconds; see `parts`.

        The reasons of a prediction are the largest of them, in words by `reasons.row_reasons`.
        """
        mine, shared = Parts[float](0.0, {}), Parts[float](0.0, {})
        if self.shared is not None:
            shared = self.shared.parts_row(pooled).renamed(columns)
        if self.form == "stack":
            own = {**own, POOLED_SCORE: shared.total}
        if self.own is not None:
            mine = self.own.parts_row(own)
        return self._joined_parts(mine, shared)

    @property
    def is_explained(self) -> bool:
        """Whether what parts are looked up in is there, see `prepare_parts`."""
        return all(_EXPLAINED in vars(part) for part in (self.own, self.shared) if part is not None)

    @property
    def explained_bytes(self) -> int:
        """Bytes of what parts are looked up in, of the tenant's own model; 0 while it is not there.

        What the pooled trees need is shared by all tenants that stand on them.
        """
        own = self.own
        return own.explained_bytes if own is not None and _EXPLAINED in vars(own) else 0

    def prepare_parts(self) -> None:
        """Build what parts are looked up in, which the first `parts_row` else does: some 80 ms."""
        for part in (self.own, self.shared):
            if part is not None:
                part.explained_bytes  # noqa: B018 - kept from now on

    def _fed(self, part: Part, own: Frame, shared: Floats) -> Frame:
        """Return what the own part reads: a stack's the pooled score, too."""
        if self.form != "stack":
            return own
        names = {name: name for name in part.features if name != POOLED_SCORE}
        return Columns(own, names, {POOLED_SCORE: shared})

    def _joined_parts(self, mine: Parts[P], shared: Parts[P]) -> Parts[P]:
        """Join the parts of both scores and calibrate them."""
        if self.form == "blend":
            found = added(scaled(mine, self.weight), scaled(shared, 1 - self.weight))
        elif self.form == "stack":
            found = self._stacked_parts(mine, shared)
        else:
            found = shared if self.form == "pooled" else mine
        return scaled(found, self.slope, self.intercept)

    def _stacked_parts(self, mine: Parts[P], shared: Parts[P]) -> Parts[P]:
        """Hand the part of the pooled score on to its features, if the stack is linear in it."""
        if not isinstance(self.own, PackedLinear) or POOLED_SCORE not in mine.columns:
            return mine
        slope, offset = self.own.line(POOLED_SCORE)
        rest = {name: part for name, part in mine.columns.items() if name != POOLED_SCORE}
        return added(Parts(mine.base, rest), scaled(shared, slope, offset))

    def _joined(self, mine: Score, shared: Score) -> Score:
        """Join the scores of the parts and calibrate them."""
        if self.form == "blend":
            score = (1 - self.weight) * shared + self.weight * mine
        else:
            score = shared if self.form == "pooled" else mine
        return self.intercept + self.slope * score
