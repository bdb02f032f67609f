"""A year of real flights to watch: each tenant's features, labels and out-of-sample predictions."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from tenantry.columns import EVENT_TIME, LABEL
from tenantry.features.recipe import build_features, table_features
from tenantry.monitoring.streams import PREDICTION
from tenantry.settings import load_settings
from tenantry.sources.collect import collect_rows
from tenantry.sources.connections import load_connections
from tenantry.specs.load import load_product
from tenantry.specs.model import Spec
from tenantry.times import parse_moment

YEAR = pd.Timestamp("2013-01-01", tz="UTC"), pd.Timestamp("2014-01-01", tz="UTC")
LABELS_KNOWN = "2014-01-08"
MIN_ROWS = 50
"""Rows a year from which a route of a carrier is a tenant."""


def load_carriers(
    cache: Path, product: str = "arrival-delay"
) -> tuple[dict[str, pd.DataFrame], Spec]:
    """Return carrier → its labelled rows of 2013, and the spec of one of them.

    Predictions come from one model over all carriers, fitted on the odd days for the even ones and
    the other way round, so that they are out of sample and alike all year.

    Args:
        cache: A folder in which the rows are kept for the next time.
        product: The product whose specs say what is read.
    """
    settings = load_settings()
    connections = load_connections(settings.connections, os.environ)
    specs = load_product(settings.specs, product).specs
    file = cache / "watched_flights.parquet"
    if not file.is_file():
        tables = []
        for tenant, spec in specs.items():
            rows = collect_rows(spec, connections, parse_moment(LABELS_KNOWN)).rows
            table = build_features(rows, table_features(spec), spec)
            tables.append(table.assign(tenant=tenant))
        whole = pd.concat(tables, ignore_index=True)
        inside = whole[EVENT_TIME].between(*YEAR, inclusive="left") & whole[LABEL].notna()
        whole = whole[inside].reset_index(drop=True)
        first = next(iter(specs.values()))
        cache.mkdir(parents=True, exist_ok=True)
        _predict(whole, first).to_parquet(file)
    whole = pd.read_parquet(file)
    carriers = {
        str(name): rows.reset_index(drop=True) for name, rows in whole.groupby("tenant", sort=True)
    }
    return carriers, next(iter(specs.values()))


def split_routes(carriers: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the (carrier, origin, destination) tenants, those of `MIN_ROWS` and more."""
    return {
        f"{carrier}-{origin}-{dest}": rows.reset_index(drop=True)
        for carrier, table in carriers.items()
        for (origin, dest), rows in table.groupby(["origin", "dest"], sort=True)
        if len(rows) >= MIN_ROWS
    }


def _predict(whole: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    names = [*spec.features, "tenant"]
    inputs = whole[names].copy()
    for name in names:
        if not pd.api.types.is_numeric_dtype(inputs[name]):
            inputs[name] = pd.factorize(inputs[name], sort=True)[0]
    matrix = inputs.to_numpy(dtype=np.float64)
    label = whole[LABEL].to_numpy(dtype=np.float64)
    odd = (whole[EVENT_TIME].dt.dayofyear % 2 == 1).to_numpy()
    predicted = np.zeros(len(whole))
    for seen in (odd, ~odd):
        model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, random_state=0)
        model.fit(matrix[seen], label[seen])
        predicted[~seen] = model.predict_proba(matrix[~seen])[:, 1]
    return whole.assign(**{PREDICTION: predicted})
