"""The fleet as it was known at any moment: feature tables built once, pooled models by date."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd

from tenantry.columns import KNOWN_AT, LABEL, LABEL_KNOWN_AT
from tenantry.features.recipe import build_features, table_features
from tenantry.settings import load_settings
from tenantry.sources.collect import collect_rows
from tenantry.sources.connections import load_connections
from tenantry.specs.load import load_product
from tenantry.specs.model import Spec
from tenantry.times import Window
from tenantry.training.chain import Chain
from tenantry.training.folds import happened_in
from tenantry.training.pooled import fit_pooled, pool_rows, pooled_rows

YEAR = Window(datetime(2013, 1, 1, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC))
"""Of the flights."""

_LABELS_COME = timedelta(days=7)
"""So long after the last day the labels of its rows are known."""


@dataclass(frozen=True)
class History:
    """All tenants' rows and feature tables, as known when all is over.

    Features are point-in-time: a row's are the same whenever they are built, and what was known at
    an earlier moment is a part of the table (`as_known`).

    Attributes:
        specs: The tenants' specs by name.
        rows: Their rows frames.
        tables: Their feature tables.
    """

    specs: Mapping[str, Spec]
    rows: Mapping[str, pd.DataFrame]
    tables: Mapping[str, pd.DataFrame]

    def lessons(self, tenant: str, as_of: datetime) -> pd.DataFrame:
        """Return a tenant's feature table as it was known at `as_of`."""
        return as_known(self.tables[tenant], as_of)

    def labelled(self, tenant: str, span: Window) -> pd.DataFrame:
        """Return a tenant's labelled rows of a span."""
        return labelled(self.tables[tenant], span)

    def pool(self, as_of: datetime) -> Chain:
        """Fit the pooled model of `as_of`, with its folds, on all tenants' rows."""
        return pool(((self.tables[name], spec) for name, spec in self.specs.items()), as_of)


def load_history(product: str = "arrival-delay", span: Window = YEAR) -> History:
    """Read all tenants' rows of a span, as the settings say, and build their features."""
    settings = load_settings()
    connections = load_connections(settings.connections, os.environ)
    specs = load_product(settings.specs, product).specs
    until = span.end + _LABELS_COME
    read = Window(span.start, until)
    rows = {name: collect_rows(spec, connections, until, read).rows for name, spec in specs.items()}
    tables = {
        name: build_features(rows[name], table_features(spec), spec) for name, spec in specs.items()
    }
    return History(specs, rows, tables)


def as_known(table: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Return the part of a table that was known at `as_of`, labels hidden that were not."""
    known = table[table[KNOWN_AT] <= as_of].reset_index(drop=True)
    return known.assign(**{LABEL: known[LABEL].where(known[LABEL_KNOWN_AT] <= as_of)})


def labelled(table: pd.DataFrame, span: Window) -> pd.DataFrame:
    """Return the labelled rows of a span."""
    rows = happened_in(table, span.start, span.end) & table[LABEL].notna().to_numpy()
    return table[rows].reset_index(drop=True)


def pool(parts: Iterable[tuple[pd.DataFrame, Spec]], as_of: datetime) -> Chain:
    """Fit the pooled model of `as_of`, with its folds.

    Args:
        parts: Feature table and spec of each tenant.
        as_of: Nothing known later is learnt from.
    """
    known = [(as_known(table, as_of), spec) for table, spec in parts]
    specs = [spec for _, spec in known]
    sample = pool_rows(
        (pooled_rows(table, spec, as_of) for table, spec in known if len(table)),
        specs[0].pooled.max_rows,
    )
    fit = fit_pooled(sample, specs, as_of)
    return Chain((*sorted(fit.folds.items()), (as_of, fit.pipeline)))
