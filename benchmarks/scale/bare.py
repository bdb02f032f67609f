"""The bare script: what one would write without Tenantry, for the same rows, fits and predictions.

pandas, scikit-learn and joblib, nothing else; it was written before Tenantry was measured against
it, and is frozen: a change of it makes all earlier ratios worthless. Mended once, at the same cost:
its keys of history overflowed past 2,048 groups, and so mixed routes. It has no ledger, no gate's
bootstrap, no cards, no retries, no isolation, no monitoring and no second run.

It makes the fits that ``product.yaml`` asks for: a pooled model on a sample with two folds; for
each tenant a logistic regression and boosted trees before the validation span, the chosen one
again before the holdout, and again on all that is known at `AS_OF`.

``python -m benchmarks.scale.bare LANDING OUT`` prints CPU-seconds as JSON.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler, TargetEncoder

AS_OF, END = pd.Timestamp("2001-06-01", tz="UTC"), pd.Timestamp("2001-06-08", tz="UTC")
HOLDOUT, VALIDATION = AS_OF - pd.Timedelta("28D"), AS_OF - pd.Timedelta("56D")
DAY = 1440
ROUTE = ["origin", "destination"]
NUMBERS = [
    "minute_of_day",
    "hour",
    "weekday",
    "distance",
    "late_2d",
    "late_7d",
    "late_28d",
    "delay_7d",
    "hour_delay_28d",
    "weekday_late_28d",
]
POOLED_ROWS, MIN_ROWS, MIN_COMPARED, MARGIN, SEED = 200_000, 20, 30, 2.0, 7


def main(landing: Path, out: Path) -> dict[str, object]:
    """Train every tenant, write its model's score and its predictions of the week."""
    marks = {"imports": _cpu()}
    flights = pd.read_parquet(landing / "flights")
    flights["origin"] = flights["origin"].astype(str)
    flights = flights[flights["date"] < END].reset_index(drop=True)
    table = build_features(flights)
    marks["features"] = _cpu()
    pooled = fit_pooled(table)
    marks["pooled"] = _cpu()
    groups = table.groupby(ROUTE, sort=True)
    done = Parallel(n_jobs=2)(
        delayed(work_for)(name, rows.reset_index(drop=True), pooled, out) for name, rows in groups
    )
    get_reusable_executor().shutdown(wait=True)  # its processes' time is told once they have ended
    marks["tenants"] = _cpu()
    spent = {
        name: value - before
        for (name, value), before in zip(marks.items(), [0.0, *marks.values()], strict=False)
    }
    peak = sum(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    chosen = pd.Series([recipe for recipe, _ in done]).value_counts().to_dict()
    return {
        "cpu": spent | {"total": _cpu()},
        "tenants": len(done),
        "chosen": chosen,
        "rows": sum(rows for _, rows in done),
        "peak_mib": peak / 1024,
    }


def build_features(flights: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with their features: each sees what was known a week before it."""
    local = flights["date"].dt
    flights["label"] = (flights["delay"] > 15).astype(float)
    flights["hour"] = local.hour.astype(float)
    flights["weekday"] = local.weekday.astype(float)
    flights["minute_of_day"] = local.hour * 60.0 + local.minute
    event = flights["date"].dt.tz_localize(None).to_numpy("datetime64[m]").astype(np.int64)
    route = flights.groupby(ROUTE).ngroup().to_numpy()
    by_hour = route * 24 + flights["hour"].to_numpy(dtype=np.int64)
    by_weekday = route * 7 + flights["weekday"].to_numpy(dtype=np.int64)
    late, delay = flights["label"].to_numpy(), flights["delay"].to_numpy(dtype=float)
    for name, group, values, days in (
        ("late_2d", route, late, 2),
        ("late_7d", route, late, 7),
        ("late_28d", route, late, 28),
        ("delay_7d", route, delay, 7),
        ("hour_delay_28d", by_hour, delay, 28),
        ("weekday_late_28d", by_weekday, late, 28),
    ):
        flights[name] = past_mean(group, event, values, days)
    return flights


def past_mean(group: np.ndarray, event: np.ndarray, values: np.ndarray, days: int) -> np.ndarray:
    """Return each row's mean of its group over so many days, as known a week before the row."""
    learned = event + DAY
    span = np.int64(1) << 40
    key = group * span + learned
    order = np.argsort(key, kind="stable")
    key, sums = key[order], np.concatenate([[0.0], np.cumsum(values[order])])
    asked = group * span + event - 7 * DAY
    stop = np.searchsorted(key, asked, side="right")
    start = np.searchsorted(key, asked - days * DAY, side="right")
    start = np.maximum(start, np.searchsorted(key, group * span))
    count = np.maximum(stop - start, 0)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, (sums[stop] - sums[start]) / count, np.nan)


def known_by(rows: pd.DataFrame, moment: pd.Timestamp) -> np.ndarray:
    """Return which rows can be learned from at a moment."""
    return (rows["date"] + pd.Timedelta("1D") <= moment).to_numpy()


def fit_pooled(table: pd.DataFrame) -> dict[pd.Timestamp, Pipeline]:
    """Fit the pooled model, and its folds at the validation span and the holdout."""
    known = table[known_by(table, AS_OF)]
    sample = known.sample(min(POOLED_ROWS, len(known)), random_state=SEED).sort_values("date")
    sample["tenant"] = sample["origin"] + "-" + sample["destination"]
    models = {}
    for cut in (VALIDATION, HOLDOUT, AS_OF):
        rows = sample[known_by(sample, cut)]
        folds = KFold(5, shuffle=True, random_state=SEED)
        columns = ColumnTransformer(
            [
                ("numbers", "passthrough", NUMBERS),
                ("categories", TargetEncoder(target_type="binary", cv=folds), ["tenant"]),
            ]
        )
        trees = HistGradientBoostingClassifier(
            max_iter=80,
            learning_rate=0.08,
            max_leaf_nodes=15,
            min_samples_leaf=40,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=SEED,
        )
        models[cut] = Pipeline([("columns", columns), ("estimator", trees)]).fit(
            rows[[*NUMBERS, "tenant"]], rows["label"]
        )
    return models


def logistic(rows: pd.DataFrame) -> Pipeline:
    """Fit a logistic regression."""
    return make_pipeline(
        SimpleImputer(), StandardScaler(), LogisticRegression(C=0.05, solver="newton-cholesky")
    ).fit(rows[_valued(rows)], rows["label"])


def boosted(rows: pd.DataFrame) -> HistGradientBoostingClassifier:
    """Fit boosted trees."""
    return HistGradientBoostingClassifier(
        max_iter=40,
        learning_rate=0.12,
        max_leaf_nodes=8,
        min_samples_leaf=40,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=SEED,
    ).fit(rows[_valued(rows)], rows["label"])


def _valued(rows: pd.DataFrame) -> list[str]:
    return [name for name in NUMBERS if rows[name].notna().any()]


def say(model: object, rows: pd.DataFrame) -> np.ndarray:
    """Return the probabilities of rows."""
    return model.predict_proba(rows[list(model.feature_names_in_)])[:, 1]


def work_for(name: tuple, rows: pd.DataFrame, pooled: dict, out: Path) -> tuple[str, int]:
    """Choose and fit a tenant's model, judge it on the holdout, write predictions of the week."""
    tenant = "-".join(name)
    rows["tenant"] = tenant
    recipe = choose(rows, pooled)
    fits = {"logistic": logistic, "boosted": boosted}
    held = rows[(rows["date"] >= HOLDOUT) & known_by(rows, AS_OF)]
    judged, final = pooled[HOLDOUT], pooled[AS_OF]
    if recipe != "pooled":
        judged = fits[recipe](rows[known_by(rows, HOLDOUT)])
        final = fits[recipe](rows[known_by(rows, AS_OF)])
    if len(held):
        said = {
            "recipe": recipe,
            "rows": len(held),
            "log_loss": log_loss(held["label"], say(judged, held), labels=[0, 1]),
            "pooled": log_loss(held["label"], say(pooled[HOLDOUT], held), labels=[0, 1]),
        }
        (out / f"{tenant}.json").write_text(json.dumps(said))
    week = rows[(rows["date"] >= AS_OF) & (rows["date"] < END)]
    if len(week):
        scored = week[["number", "date"]].assign(probability=say(final, week))
        scored.to_parquet(out / f"{tenant}.parquet")
    return recipe, len(week)


def choose(rows: pd.DataFrame, pooled: dict) -> str:
    """Return the recipe: a later one only if it is better by two standard errors over days."""
    before, later = rows[known_by(rows, VALIDATION)], rows["date"] >= VALIDATION
    compared = rows[later & known_by(rows, HOLDOUT)]
    if known_by(rows, AS_OF).sum() < MIN_ROWS or len(compared) < MIN_COMPARED:
        return "pooled"
    if before["label"].nunique() < 2 or compared["label"].nunique() < 2:
        return "pooled"
    label = compared["label"].to_numpy()
    day = compared["date"].dt.floor("D").to_numpy()
    best, loss = "pooled", _losses(label, say(pooled[VALIDATION], compared))
    for name, fit in (("logistic", logistic), ("boosted", boosted)):
        other = _losses(label, say(fit(before), compared))
        gain = loss - other
        error = np.sqrt((pd.Series(gain - gain.mean()).groupby(day).sum() ** 2).sum()) / len(gain)
        if gain.mean() > MARGIN * error:
            best, loss = name, other
    return best


def _losses(label: np.ndarray, said: np.ndarray) -> np.ndarray:
    return -np.log(np.where(label == 1, said, 1 - said))


def _cpu() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    result = main(Path(sys.argv[1]), folder)
    print(json.dumps(result | {"wall": time.monotonic() - began}))  # noqa: T201
