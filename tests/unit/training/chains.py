"""Small chains of pooled pipelines."""

from datetime import timedelta

import pandas as pd

from tenantry.features.recipe import pooled_frame
from tenantry.training.chain import Chain
from tenantry.training.folds import known_by
from tenantry.training.pipelines import Trees, fit_trees
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table

CUTS = [AS_OF - timedelta(days=days) for days in (120, 90, 56, 28, 0)]


def make_chain(tenants=("aa", "b6", "ua"), cuts=CUTS, task="classification", **table):
    """Fit a chain on the tables of some tenants."""
    tables = [(make_spec(name), make_table(name, task=task, **table)) for name in tenants]
    rows = pd.concat([part for _, part in tables], ignore_index=True)
    frame = pd.concat([pooled_frame(part, spec) for spec, part in tables], ignore_index=True)
    links = []
    for cut in cuts:
        known = known_by(rows, cut)
        label = rows.loc[known, "label"].to_numpy()
        trees = Trees(max_iter=15)
        links.append((cut, fit_trees(frame[known], label, task=task, trees=trees, seed=7)))
    return Chain(tuple(links))
