"""How far the features of a window lie from what the model learnt on, as effect sizes.

One measure for both kinds of feature, 0 (alike) to 1 (nothing in common), that does not grow with
the number of rows: the Kolmogorov-Smirnov distance of numbers, the total variation of categories.

A feature has drifted when its effect passes three bars: the threshold of the spec; what chance
reaches in samples of these sizes, so that small tenants do not always alarm; and what the tenant's
own past windows reached against their whole, so that a cold week is weather and not drift.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from tenantry.monitoring.judgements import FeatureDrift
from tenantry.monitoring.usual import measure_usual

Floats = npt.NDArray[np.float64]

CHANCE = 0.001
"""Chance that a feature without drift passes the noise."""

_NOTHING_TO_COMPARE = ("not in the reference", "not in the window", "missing in both")


@dataclass(frozen=True)
class Profile:
    """The distributions of some rows, prepared once and compared with many others.

    Attributes:
        rows: How many rows.
        numbers: Numeric feature → its values, sorted, without NaN.
        shares: Categorical feature → share of the present values by category.
        missing: Feature → share of the rows where it is missing.
    """

    rows: int
    numbers: dict[str, Floats]
    shares: dict[str, pd.Series]
    missing: dict[str, float]


def make_profile(frame: pd.DataFrame, features: Iterable[str]) -> Profile:
    """Prepare those of the features that `frame` has: float64 or str columns."""
    names = [name for name in features if name in frame]
    numeric = [name for name in names if is_number(frame[name])]
    return Profile(
        rows=len(frame),
        numbers={name: _sorted_values(frame[name]) for name in numeric},
        shares={name: _shares(frame[name]) for name in names if name not in numeric},
        missing={name: _missing_share(frame[name]) for name in names},
    )


@dataclass(frozen=True)
class Reference:
    """What a model learnt on.

    Attributes:
        profile: Its distributions.
        usual: Feature → effect that the tenant's own past windows reach; 0 where too few are
            known.
    """

    profile: Profile
    usual: Mapping[str, float]


def make_reference(frame: pd.DataFrame, features: Iterable[str], length: timedelta) -> Reference:
    """Prepare what a model learnt on, and what is usual for windows of `length` in it.

    Args:
        frame: The rows of the training span: `event_time` and the features.
        features: Which ones.
        length: Of a window.
    """
    names = tuple(features)
    return Reference(make_profile(frame, names), measure_usual(frame, names, length))


def measure_drift(
    reference: Reference, current: Profile, features: Iterable[str], threshold: float
) -> tuple[FeatureDrift, ...]:
    """Compare a window with what the model learnt on, feature by feature.

    A change in the share of missing values counts like any other: the effect is the larger of
    the two.

    Args:
        reference: What the model learnt on.
        current: The window.
        features: Which ones, in the order of the answer.
        threshold: Effect size from which a feature has drifted.
    """
    return tuple(_compare(reference, current, name, threshold) for name in features)


def measure_effect(reference: Profile, current: Profile, name: str) -> tuple[float, float]:
    """Return the effect of one feature and what chance alone reaches; both sides must have it."""
    effect, noise = _effect(reference, current, name)
    effect = max(effect, abs(current.missing[name] - reference.missing[name]))
    return effect, max(noise, _noise_of_numbers(reference.rows, current.rows))


def distance_of_numbers(reference: Floats, current: Floats) -> float:
    """Return the Kolmogorov-Smirnov distance of two sorted samples.

    Between two neighbours of the smaller sample its distribution function is flat and the other's
    rises, so the largest gap lies at one of its points, or just before one.
    """
    if len(current) > len(reference):
        reference, current = current, reference
    gaps = [
        np.searchsorted(reference, current, side=side) / len(reference)
        - np.searchsorted(current, current, side=side) / len(current)
        for side in ("left", "right")
    ]
    return float(np.abs(gaps).max())


def distance_of_shares(reference: pd.Series, current: pd.Series) -> float:
    """Return the total variation of two distributions over categories."""
    return float(reference.sub(current, fill_value=0.0).abs().sum() / 2)


def is_number(column: pd.Series) -> bool:
    """Whether a feature holds numbers (else categories)."""
    return pd.api.types.is_numeric_dtype(column.dtype)


def _compare(reference: Reference, current: Profile, name: str, threshold: float) -> FeatureDrift:
    before = reference.profile
    note = _note(before, current, name)
    if note in _NOTHING_TO_COMPARE:
        return FeatureDrift(
            feature=name, effect=None, noise=0.0, usual=0.0, drifted=False, note=note
        )
    effect, noise = measure_effect(before, current, name)
    usual = reference.usual[name]
    return FeatureDrift(
        feature=name,
        effect=round(effect, 6),
        noise=round(noise, 6),
        usual=round(usual, 6),
        drifted=effect >= threshold and effect > max(noise, usual),
        note=note,
    )


def _effect(reference: Profile, current: Profile, name: str) -> tuple[float, float]:
    """Return the effect on the values that are present, and what chance reaches."""
    if reference.missing[name] == 1.0 or current.missing[name] == 1.0:
        return 0.0, 0.0
    if (name in reference.numbers) != (name in current.numbers):
        return 1.0, 0.0
    if name in reference.numbers:
        before, now = reference.numbers[name], current.numbers[name]
        return distance_of_numbers(before, now), _noise_of_numbers(len(before), len(now))
    sizes = [side.rows * (1 - side.missing[name]) for side in (reference, current)]
    shares = reference.shares[name], current.shares[name]
    return distance_of_shares(*shares), _noise_of_shares(*shares, sum(1 / size for size in sizes))


def _noise_of_numbers(reference: int, current: int) -> float:
    """Return the distance that two equal samples pass with probability `CHANCE` (Smirnov, 1948)."""
    if not reference or not current:
        return 1.0
    return float(np.sqrt(np.log(2 / CHANCE) / 2 * (1 / reference + 1 / current)))


def _noise_of_shares(reference: pd.Series, current: pd.Series, scale: float) -> float:
    """Return the same for total variation: its mean (normal approximation), and McDiarmid's bound.

    `scale` is the sum of the inverse sample sizes.
    """
    both = reference.add(current, fill_value=0.0) / 2
    mean = np.sqrt(both * (1 - both) * scale * 2 / np.pi).sum() / 2
    return float(mean) + float(np.sqrt(np.log(1 / CHANCE) * scale / 2))


def _note(reference: Profile, current: Profile, name: str) -> str:
    for side, place in ((reference, "reference"), (current, "window")):
        if name not in side.missing:
            return f"not in the {place}"
    before, now = reference.missing[name], current.missing[name]
    if before == now == 1.0:
        return "missing in both"
    if now == 1.0:
        return "all missing in the window"
    if before == 1.0:
        return "all missing in the reference"
    if (name in reference.numbers) != (name in current.numbers):
        return "text where numbers were" if name in reference.numbers else "numbers where text was"
    return f"{now:.0%} missing, {before:.0%} before" if abs(now - before) >= 0.1 else ""


def _missing_share(column: pd.Series) -> float:
    return float(column.isna().mean()) if len(column) else 1.0


def _sorted_values(column: pd.Series) -> Floats:
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.sort(values[~np.isnan(values)])


def _shares(column: pd.Series) -> pd.Series:
    return column.dropna().value_counts(normalize=True)
