"""The models of the benchmark as scikit-learn pipelines; needs nothing of Tenantry.

The peers' environments run it too, so that all serve the same: 15 features, 13 numbers and two
categories, a logistic regression or 100 boosted trees.
"""

import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler, TargetEncoder

NUMBERS = [*(f"n{number}" for number in range(1, 13)), "hour"]
CATEGORIES = ["origin", "dest"]
ORIGINS = ["EWR", "JFK", "LGA"]
DESTS = [f"D{number:02}" for number in range(40)]


def make_rows(rows: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Make rows and labels: some numbers are missing, some matter."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(rows, 12)), columns=NUMBERS[:12])
    frame = frame.mask(random.random(frame.shape) < 0.02)
    frame["hour"] = random.integers(0, 24, rows).astype(float)
    frame["origin"] = random.choice(ORIGINS, rows)
    frame["dest"] = random.choice(DESTS, rows)
    score = frame["n1"].fillna(0) + 0.5 * frame["n2"].fillna(0) * (frame["origin"] == "JFK")
    late = random.random(rows) < 1 / (1 + np.exp(1.2 - score - 0.05 * (frame["hour"] - 12)))
    return frame, late.to_numpy().astype(float)


def fit_linear(seed: int) -> Pipeline:
    """Fit a logistic regression to 3,000 rows."""
    numbers = Pipeline([("fill", SimpleImputer()), ("scale", StandardScaler())])
    levels = OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist")
    levels.set_params(sparse_output=False)
    columns = ColumnTransformer([("n", numbers, NUMBERS), ("c", levels, CATEGORIES)])
    return _fit(columns, LogisticRegression(max_iter=200), seed)


def fit_boosted(seed: int) -> Pipeline:
    """Fit 100 boosted trees to 3,000 rows."""
    columns = ColumnTransformer(
        [("n", FunctionTransformer(), NUMBERS), ("c", TargetEncoder(), CATEGORIES)]
    )
    trees = HistGradientBoostingClassifier(
        max_iter=100, max_leaf_nodes=15, early_stopping=False, random_state=seed
    )
    return _fit(columns, trees, seed)


def _fit(columns: ColumnTransformer, estimator: object, seed: int) -> Pipeline:
    frame, label = make_rows(3000, seed)
    return Pipeline([("columns", columns), ("estimator", estimator)]).fit(frame, label)


def main() -> None:
    """Write so many models, half linear and half boosted, into a folder of folders."""
    folder, wanted = Path(sys.argv[1]), int(sys.argv[2])
    fitted = [fit(seed) for seed in range(4) for fit in (fit_linear, fit_boosted)]
    for number in range(wanted):
        place = folder / f"bench-t{number:05}"
        place.mkdir(parents=True, exist_ok=True)
        joblib.dump(fitted[number % len(fitted)], place / "model.joblib")


if __name__ == "__main__":
    main()
