"""What the columns of a table of unknown origin are: their types, and which could be what."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from tenantry.metrics import Floats, roc_auc
from tenantry.specs.parts import DNS_LABEL
from tenantry.values import Kind, read_values

_ORDER: tuple[Kind, ...] = ("boolean", "integer", "number", "time", "category", "text")
_BAD = 0.005
"""Share of values that may be unreadable in a column that is of a type nonetheless."""

_CATEGORIES = 200
"""Different values above which a column of text is no category."""

_KEY_COLUMNS = 3
_ROWS_EACH = 20
"""Rows a category from which its mean label is more than its own rows' luck."""

_TELLS = 0.995
"""ROC AUC from which one column alone tells the label: it is hardly known before it."""


@dataclass(frozen=True)
class Guess:
    """A column as it seems to be.

    Attributes:
        kind: The type that nearly all its values can be read as.
        values: Its values as that type; missing where they cannot.
        different: How many different ones.
        missing: Share of values that are missing.
    """

    kind: Kind
    values: "pd.Series[Any]"
    different: int
    missing: float

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.kind in ("integer", "number")


def guess_columns(frame: pd.DataFrame) -> dict[str, Guess]:
    """Return what each column of a frame seems to be, whatever its values came as."""
    return {str(name): _guess(frame[name]) for name in frame.columns}


def _guess(raw: "pd.Series[Any]") -> Guess:
    for kind in _ORDER:
        values = read_values(raw, kind)
        there = int(raw.notna().sum())
        if values.bad.sum() > _BAD * max(there, 1) or not _could_be(kind, values.clean, there):
            continue
        clean = values.clean
        return Guess(kind, clean, int(clean.nunique()), float(clean.isna().mean()))
    values = read_values(raw, "text")
    return Guess(
        "text", values.clean, int(values.clean.nunique()), float(values.clean.isna().mean())
    )


def _could_be(kind: Kind, clean: "pd.Series[Any]", there: int) -> bool:
    different = int(clean.nunique())
    if kind == "boolean":  # 0 and 1 are; a column of nothing is no flag
        return 0 < different <= 2
    if kind == "category":
        return different <= max(2, min(_CATEGORIES, there // 2))
    return kind == "text" or different > 0


def find_tenant_columns(guesses: Mapping[str, Guess], tenant: str) -> dict[str, str]:
    """Return the columns that hold the tenant's name → the case that it is written in there."""
    found = {}
    for name, guess in guesses.items():
        if guess.kind not in ("category", "text", "integer"):
            continue
        texts = guess.values.dropna().unique()
        words = {_as_text(value) for value in texts}
        if tenant in words:
            found[name] = "lower"
        elif tenant.upper() in words:
            found[name] = "upper"
    return found


def name_tenants(guess: Guess, case: str) -> tuple[str, ...]:
    """Return the tenants that a column names, those whose values can be a tenant's name."""
    words = sorted({_as_text(value) for value in guess.values.dropna().unique()})
    folded = [(word, word.lower()) for word in words]
    change = str.upper if case == "upper" else str.lower
    label = re.compile(DNS_LABEL.rstrip("$"))
    return tuple(low for word, low in folded if change(low) == word and label.fullmatch(low))


def _as_text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def find_key(guesses: Mapping[str, Guess], tenant: str, event: str) -> tuple[str, ...]:
    """Return the fewest columns that together name a row, the tenant's first; empty when none do.

    Args:
        guesses: All columns.
        tenant: The column that names the tenant.
        event: That of the event's time.
    """
    usable = [
        name
        for name, guess in guesses.items()
        if guess.kind in ("integer", "category", "text") and not guess.missing and name != tenant
    ]
    usable.sort(key=lambda name: (-guesses[name].different, name))
    frame = pd.DataFrame({name: guesses[name].values for name in (tenant, event, *usable)})
    for key in _keys(tenant, event, usable[:12]):
        if not frame.duplicated(list(key)).any():
            return key
    return ()


def _keys(tenant: str, event: str, usable: Iterable[str]) -> Iterator[tuple[str, ...]]:
    names = list(usable)
    for count in range(1, _KEY_COLUMNS):
        yield from ((tenant, *some) for some in combinations(names, count))
        yield from ((tenant, *some, event) for some in combinations(names, count - 1))
    yield from ((tenant, *some, event) for some in combinations(names, _KEY_COLUMNS - 1))


def find_tales(guesses: Mapping[str, Guess], label: "pd.Series[Any]") -> dict[str, float]:
    """Return the columns that tell the label nearly by themselves → how well, as a ROC AUC.

    Args:
        guesses: The columns that could be features.
        label: 0 and 1, missing where it is unknown.
    """
    known = label.notna().to_numpy(dtype=bool)
    truth: Floats = label[known].to_numpy(dtype=np.float64)
    if len({*truth}) != 2:
        return {}
    found = {}
    for name, guess in guesses.items():
        values = guess.values[known]
        gap = roc_auc(truth, np.asarray(values.isna(), dtype=np.float64))
        told = max(_either_way(gap), _either_way(roc_auc(truth, _scores(guess, values, truth))))
        if told >= _TELLS:
            found[name] = told
    return found


def _scores(guess: Guess, values: "pd.Series[Any]", truth: Floats) -> Floats:
    if guess.kind in ("integer", "number", "boolean"):
        return values.fillna(values.median()).fillna(0).to_numpy(dtype=float)
    if guess.kind == "category" and guess.different * _ROWS_EACH <= len(truth):
        means = pd.Series(truth).groupby(values.fillna("").to_numpy()).transform("mean")
        return means.to_numpy(dtype=float)
    return np.zeros(len(truth))


def _either_way(auc: float | None) -> float:
    return 0.5 if auc is None else max(auc, 1 - auc)
