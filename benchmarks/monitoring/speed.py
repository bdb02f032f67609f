"""4: a fleet of 3,250 tenants with 15 features, and what Evidently takes for a sample of it."""

import resource
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd
from rich.table import Table

from benchmarks.monitoring.flights import YEAR
from benchmarks.monitoring.telling import told
from benchmarks.monitoring.watching import Plan, make_receipt, mean_loss, split
from tenantry.columns import EVENT_TIME, LABEL
from tenantry.monitoring.drift import learn_reference
from tenantry.monitoring.judge import judge_window
from tenantry.monitoring.measure import Evidence
from tenantry.monitoring.memory import Memory
from tenantry.monitoring.streams import PREDICTION
from tenantry.specs.model import Spec

TENANTS, ROWS, WINDOWS = 3250, 920, 26
"""As the (origin, destination) tenants of three million flights of half a year."""

NUMBERS, CATEGORIES = 13, 2
FEATURES = tuple(f"feature_{n}" for n in range(NUMBERS + CATEGORIES))
MOST_SECONDS, MOST_MIB = 60.0, 1024.0
SAMPLE = 3
"""Tenants that Evidently is timed on."""

PLAN = Plan(
    (YEAR[0] + (WINDOWS - 1) * timedelta(days=7)).to_pydatetime(), timedelta(days=7), 1, 52.0
)


@dataclass(frozen=True)
class Speed:
    """What judging the fleet took.

    Attributes:
        seconds: CPU-seconds of ours for all tenants.
        mib: Most memory that the process ever held.
        evidently: CPU-seconds of Evidently's for a tenant.
    """

    seconds: float
    mib: float
    evidently: float

    @property
    def is_enough(self) -> bool:
        """Whether it keeps the promise."""
        return self.seconds <= MOST_SECONDS and self.mib <= MOST_MIB


def measure_speed(product: Spec) -> Speed:
    """Judge one window of every tenant, as the stage does once it has the rows.

    Args:
        product: Whose rules they are judged by.
    """
    spec, spent, sample = _with_features(product), 0.0, []
    for place, rows in enumerate(told(_make_tenants(), "4", TENANTS)):
        past, now, _ = split(rows, PLAN)
        start = time.process_time()
        judge_tenant(spec, past, now)
        spent += time.process_time() - start
        if place < SAMPLE:
            sample.append((past, now))
    mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Speed(spent, mib, _time_evidently(sample))


def judge_tenant(spec: Spec, past: pd.DataFrame, now: pd.DataFrame) -> bytes:
    """Learn what a tenant's past is like, and judge its window; return the judgement's bytes."""
    columns, length = (*FEATURES, LABEL), timedelta(days=7)
    reference = learn_reference(past, columns, until=PLAN.until, length=length)
    receipt = make_receipt(spec, len(now), PLAN.until, length)
    evidence = Evidence(receipt, now, reference, mean_loss(past))
    return judge_window(spec, PLAN.until + 2 * length, evidence, Memory()).to_json()


def _with_features(product: Spec) -> Spec:
    kinds = dict.fromkeys(FEATURES[:NUMBERS], "numeric")
    kinds |= dict.fromkeys(FEATURES[NUMBERS:], "categorical")
    features = {name: {"kind": kind} for name, kind in kinds.items()}
    return Spec.model_validate(product.model_dump() | {"features": features})


def make_table(speed: Speed) -> Table:
    """Print what it took."""
    title = f"4. {TENANTS:,} tenants, {len(FEATURES)} features, {ROWS} rows each, one window"
    table = Table("by", "CPU-s", "CPU-ms a tenant", "most memory", title=title)
    table.add_row(
        "Tenantry",
        f"{speed.seconds:.1f} (at most {MOST_SECONDS:.0f})",
        f"{1000 * speed.seconds / TENANTS:.1f}",
        f"{speed.mib:.0f} MiB (at most {MOST_MIB:.0f})",
    )
    whole = speed.evidently * TENANTS
    table.add_row(
        f"Evidently, from {SAMPLE} tenants", f"{whole:,.0f}", f"{1000 * speed.evidently:.0f}", ""
    )
    return table


def _make_tenants() -> Iterator[pd.DataFrame]:
    rng = np.random.default_rng(0)
    for _ in range(TENANTS):
        minutes = np.sort(rng.integers(0, WINDOWS * 7 * 1440, ROWS))
        columns: dict[str, object] = {EVENT_TIME: YEAR[0] + pd.to_timedelta(minutes, unit="m")}
        columns |= {name: rng.normal(size=ROWS) for name in FEATURES[:NUMBERS]}
        columns |= {
            name: pd.Series(rng.choice(list("abcdefgh"), ROWS), dtype="str")
            for name in FEATURES[NUMBERS:]
        }
        predicted = rng.beta(1, 4, ROWS)
        columns |= {PREDICTION: predicted, LABEL: (rng.random(ROWS) < predicted).astype(float)}
        yield pd.DataFrame(columns)


def _time_evidently(sample: list[tuple[pd.DataFrame, pd.DataFrame]]) -> float:
    """Return the CPU-seconds of Evidently's drift preset for a tenant, the import left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from evidently import Dataset, Report
        from evidently.presets import DataDriftPreset

        start = time.process_time()
        for past, now in sample:
            sides = (Dataset.from_pandas(side[list(FEATURES)]) for side in (now, past))
            Report([DataDriftPreset()]).run(*sides).dict()
    return (time.process_time() - start) / len(sample)
