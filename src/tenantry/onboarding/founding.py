"""A product's first file, proposed from the rows of its first tenant."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from tenantry.errors import Fault, OnboardingError
from tenantry.onboarding.given import Given
from tenantry.onboarding.guesses import (
    Guess,
    find_tales,
    guess_columns,
)
from tenantry.onboarding.reasons import Reason
from tenantry.onboarding.roles import Asked, Founding, Roles, check_asked, find_roles
from tenantry.specs.feature_checks import OURS
from tenantry.specs.model import API_VERSION
from tenantry.times import format_duration

MAY_SET = (
    "description",
    "state",
    "region",
    "timezone",
    "features",
    "train.every",
    "gate",
    "predict.threshold",
    "predict.explain",
    "monitor",
    "insights",
    "pooling",
)
"""What a new product lets its tenants set."""

_TOLERANCES = {"gate": 0.01, "slices": 0.02, "monitor": 0.05}
"""Of a regression, as shares of the standard deviation of a tenant's labels."""

_CANDIDATES = ("blended", "pooled", "logistic", "boosted", "prior")


def found_product(
    product: str, tenant: str, given: Given, asked: Asked, as_of: datetime
) -> tuple[dict[str, Any], tuple[Reason, ...]]:
    """Propose a product's file.

    Args:
        product: Its name.
        tenant: The tenant whose rows are to be found in them.
        given: Where the rows come from; its source's connection is what the file will name.
        asked: What is known besides.
        as_of: The first window begins then.

    Returns:
        The file as plain data, and why it is so.

    Raises:
        OnboardingError: What cannot be told from the rows, all at once, and how to say it.
        SourceError: They cannot be read.
    """
    frame = given.read()
    if frame.empty:
        fault = Fault("--source", "has columns and no row", "check what writes it")
        raise OnboardingError([fault])
    made = Founding(product, tenant, given, asked, guess_columns(frame))
    faults = [*check_asked(made)]
    roles = find_roles(made, faults)
    if faults:
        raise OnboardingError(dict.fromkeys(faults))
    return _write(made, roles, as_of), tuple(made.reasons)


# --- the file -------------------------------------------------------------------------------------


def _write(made: Founding, roles: Roles, as_of: datetime) -> dict[str, Any]:
    asked, source = made.asked, made.given.source
    features = _features(made, roles)
    used = {*roles.key, roles.tenant, roles.event, roles.label["column"], asked.label_time}
    used |= {name for name in features if name in made.guesses}
    spans = _spans(made.guesses[roles.event].values)
    task = _for_task(made, roles)
    known: dict[str, str] = (
        {"column": asked.label_time} if asked.label_time else {"delay": asked.label_delay}
    )
    start = as_of.replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "apiVersion": API_VERSION,
        "product": made.product,
        "title": asked.title or made.product.replace("-", " ").capitalize(),
        "tenants_may_set": list(MAY_SET),
        "sources": {
            "rows": [
                {
                    "name": "rows",
                    "connection": source.connection,
                    "kind": source.kind,
                    "path": source.path,
                }
            ]
        },
        "row_filter": {"pattern": f"(?P<{roles.tenant}>.+)", "case": roles.case},
        "key": list(roles.key),
        "times": {
            "event_time": roles.event,
            "known_at": {"lead": asked.lead},
            "label_known_at": known,
        },
        "label": roles.label,
        "contract": {"columns": _columns(made, used, roles)},
        "features": features,
        "model": {
            "candidates": {name: {} for name in _CANDIDATES},
            **task.get("model", {}),
            **spans["model"],
        },
        "train": {"every": "28d", **spans["train"]},
        "gate": spans["gate"] | task.get("gate", {}),
        **({"monitor": task["monitor"]} if task else {}),
        "predict": {
            "window": "7d",
            "start": start.date().isoformat(),
            **task.get("predict", {}),
        },
        "pooled": {"every": "28d"},
    }


def _columns(made: Founding, used: set[str], roles: Roles) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name in sorted(used - {""}):
        guess = made.guesses[name]
        columns[name] = {"type": "category" if name == roles.tenant else guess.kind}
        if roles.label.get("task") == "multiclass" and name == roles.label["column"]:
            columns[name]["categories"] = sorted(map(str, guess.values.dropna().unique()))
    return columns


def _for_task(made: Founding, roles: Roles) -> dict[str, dict[str, Any]]:
    """Return what a regression says besides: tolerances are in its unit, nothing is decided."""
    if roles.label.get("task") != "regression":
        return {}
    values, owner = (made.guesses[name].values for name in (roles.label["column"], roles.tenant))
    spread = float((values - values.groupby(owner).transform("mean")).std())
    shares = {name: float(f"{share * spread:.1g}") for name, share in _TOLERANCES.items()}
    reason = f"shares of {spread:.3g}, the standard deviation of a tenant's labels"
    made.why("tolerances", ", ".join(f"{one:g}" for one in shares.values()), reason)
    return {
        "model": {"metric": "rmse"},
        "gate": {"tolerance": shares["gate"], "slice_tolerance": shares["slices"]},
        "monitor": {"tolerance": shares["monitor"]},
        "predict": {"explain": {"rows": "all"}},
    }


def _spans(times: "pd.Series[Any]") -> dict[str, dict[str, str]]:
    """Return history, validation and holdout, as much as the rows allow."""
    length: timedelta = (times.max() - times.min()).to_pytimedelta()
    days = max(length.days, 14)
    part = format_duration(timedelta(days=min(28, max(7, days // 6))))
    history = format_duration(timedelta(days=max(365, days + 30)))
    return {
        "model": {"validation": part},
        "train": {"history": history},
        "gate": {"holdout": part},
    }


def _features(made: Founding, roles: Roles) -> dict[str, Any]:
    taken = {roles.tenant, roles.event, roles.label["column"], made.asked.label_time}
    taken |= {*made.asked.without}
    others = {name: guess for name, guess in made.guesses.items() if name not in taken}
    tales = find_tales(others, _truth(made, roles)) if "task" not in roles.label else {}
    features: dict[str, Any] = {}
    for name, guess in others.items():
        left = _why_left(name, guess, roles, tales)
        if left:
            made.why(f"features.{name}", "left out", left)
        else:
            kinds = {"category": "categorical", "text": "text"}
            features[name] = {"kind": kinds.get(guess.kind, "numeric")}
    times = made.guesses[roles.event].values.dropna()
    if (times.dt.normalize() != times).any() and "hour" not in features:
        features["hour"] = {"kind": "calendar", "part": "hour"}
    if "weekday" not in features:
        features["weekday"] = {"kind": "calendar", "part": "weekday"}
    return features


def _truth(made: Founding, roles: Roles) -> "pd.Series[Any]":
    values = made.guesses[roles.label["column"]].values
    above = roles.label.get("above")
    return values if above is None else (values > above).astype(float).mask(values.isna())


def _why_left(name: str, guess: Guess, roles: Roles, tales: Mapping[str, float]) -> str:
    """Say why a column is no feature; empty when it is one."""
    is_text = guess.kind == "text"
    names_rows = name in roles.key and guess.kind in ("integer", "text")
    reasons = {
        "it has no two different values": guess.different < 2,
        f"it tells the label nearly by itself (ROC AUC {tales.get(name, 0):.3f}): probably it is "
        "known only with it; add it if it is known before": name in tales,
        "a time; what it says before the event has to be made a number": guess.kind == "time",
        "it names rows": names_rows,
        "its name is one that we use ourselves": name in OURS,
        "texts of a word each, nearly all different: they name something": (
            is_text and not _has_words(guess)
        ),
    }
    return next((why for why, holds in reasons.items() if holds), "")


def _has_words(guess: Guess) -> bool:
    some = guess.values.dropna().head(200)
    return bool(some.map(lambda text: len(re.findall(r"\w+", text)) > 2).mean() > 0.5)
