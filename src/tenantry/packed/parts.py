"""Scores taken apart: a base, and each feature's part."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
P = TypeVar("P", float, Floats)
"""Of one row, or of n."""


class Parts(NamedTuple, Generic[P]):
    """A score taken apart.

    Attributes:
        base: What every row starts from; of several classes one value a row, its class's.
        columns: Feature → its part; the parts of a row and the base make its score.
    """

    base: float
    columns: dict[str, P]

    @property
    def total(self) -> P:
        """The score that they make."""
        return reduce(add, self.columns.values(), 0.0) + self.base  # type: ignore[return-value]

    def renamed(self, names: Mapping[str, str]) -> Parts[P]:
        """Return the same by other names of the features; those not named keep theirs."""
        return Parts(
            self.base, {names.get(name, name): part for name, part in self.columns.items()}
        )


def scaled(parts: Parts[P], factor: float, shift: float = 0.0) -> Parts[P]:
    """Return the parts of ``shift + factor · score``."""
    columns = {name: factor * part for name, part in parts.columns.items()}
    return Parts(shift + factor * parts.base, columns)


def added(one: Parts[P], other: Parts[P]) -> Parts[P]:
    """Return the parts of the sum of two scores."""
    columns = dict(one.columns)
    for name, part in other.columns.items():
        columns[name] = columns[name] + part if name in columns else part
    return Parts(one.base + other.base, columns)
