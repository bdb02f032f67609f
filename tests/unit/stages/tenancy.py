"""A tenant of the tiny fleet with models in a store, for tests of the last stages."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from tenantry import layout
from tenantry.champions import Champion, Reign, read_champion
from tenantry.columns import EVENT_TIME, KNOWN_AT, LABEL, LABEL_KNOWN_AT, RESERVED
from tenantry.crowning import crown
from tenantry.digests import digest
from tenantry.events import list_events
from tenantry.features.tables import write_features
from tenantry.jobs import Job
from tenantry.ledger import Due, Entry, Outcome
from tenantry.models.card import Card, PooledCard
from tenantry.models.files import save_model, save_pooled
from tenantry.models.fitted import FittedModel, link_scores
from tenantry.models.link import from_link
from tenantry.parquet import from_parquet, to_parquet
from tenantry.predictions import Receipt
from tenantry.receipts import read_receipts
from tenantry.sources.connections import Connections
from tenantry.specs.model import Spec
from tenantry.times import Window
from tenantry.training.folds import Spans, happened_in
from tests.unit.memory_store import MemoryStore
from tests.unit.models.pipelines import fitted
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table

WEEK = timedelta(days=7)
AUGUST, SEPTEMBER = datetime(2013, 8, 1, tzinfo=UTC), datetime(2013, 9, 10, tzinfo=UTC)
WINDOWS = tuple(Window(AS_OF - n * WEEK, AS_OF - (n - 1) * WEEK) for n in (4, 3, 2, 1))
TASKS = {"ridge": "regression", "mean": "regression"}


@dataclass
class Tenancy:
    """A tenant, its rows and its store."""

    spec: Spec = field(default_factory=make_spec)
    table: pd.DataFrame = field(default_factory=lambda: make_table(rows=2000))
    store: MemoryStore = field(default_factory=MemoryStore)
    pooled: PooledCard | None = None

    def copy(self) -> "Tenancy":
        """The same tenant in a store of its own."""
        store = MemoryStore()
        store.objects |= self.store.objects
        return replace(self, store=store)

    def known(self, as_of: datetime) -> pd.DataFrame:
        """The rows that are known at a time, labels too."""
        rows = self.table[self.table[KNOWN_AT] <= as_of].reset_index(drop=True)
        return rows.assign(label=rows[LABEL].where(rows[LABEL_KNOWN_AT] <= as_of))

    def train(
        self, as_of: datetime, recipe: str = "logistic", own: object = None, noise: float = 0.0
    ) -> Card:
        """Fit a model on all that is known at a time, and save it with its evaluation.

        `noise` is added to the log-odds of the evaluation, so that the gate sees a worse model.
        """
        rows = self.known(as_of)
        task = TASKS.get(recipe, "classification")
        card = Card(
            product=self.spec.product,
            tenant=self.spec.tenant,
            as_of=as_of,
            trained_until=as_of,
            recipe=recipe,
            task=task,
            form="own",
            weight=0.0,
            training_digest=self.spec.training_digest,
            spec_digest="s" * 64,
            snapshot="5" * 64,
            features="f" * 64,
            seed=7,
            code_version="test",
            rows=len(rows),
            metric=self.spec.model.metric,
        )
        model = FittedModel(recipe, task, "own", own=own or fitted(recipe, rows))
        card = save_model(self.store, model, card)
        folder = layout.model_folder(card.product, card.tenant, card.version)
        evaluation = to_parquet(self.evaluate(as_of, model.own, noise))
        self.store.put(f"{folder}evaluation.parquet", evaluation)
        return card

    def evaluate(self, as_of: datetime, own: Pipeline, noise: float) -> pd.DataFrame:
        """Predict the holdout by models fitted before it; the pooled one's a middling one."""
        spans = Spans.of(self.spec, as_of)
        rows = self.known(as_of)
        rows = rows[happened_in(rows, spans.holdout, as_of) & rows[LABEL].notna()]
        before = self.known(spans.holdout)
        seen, names = before[before[LABEL].notna()], list(own.feature_names_in_)
        scores = link_scores(clone(own).fit(seen[names], seen[LABEL]), rows)
        random = np.random.default_rng(1).normal(0, 1, len(rows))
        columns = list(dict.fromkeys((*self.spec.key, *RESERVED)))
        if self.spec.label.task == "regression":
            return rows[columns].assign(
                challenger=scores + noise * random, pooled=np.nan, prior=0.0
            )
        return rows[columns].assign(
            challenger=from_link(scores + noise * random, "classification"),
            pooled=from_link(scores + 0.5 * random, "classification") if self.pooled else np.nan,
            prior=before[LABEL].mean(),
        )

    def pool(self) -> PooledCard:
        """Save a pooled model."""
        rows = self.known(AUGUST)
        card = PooledCard(
            product=self.spec.product,
            zone=self.spec.residency.zone,
            as_of=AUGUST,
            task="classification",
            definition="d" * 64,
        )
        return save_pooled(self.store, card, fitted("trees", rows), {})

    def crown(self, card: Card, **changes: object) -> Reign:
        """Let a saved model reign from the moment it was trained."""
        reign = Reign(
            since=card.as_of,
            version=card.version,
            digest=card.file_digest,
            trained_until=card.trained_until,
            training_digest=card.training_digest,
            recipe=card.recipe,
            gate="promoted: first model",
        ).model_copy(update=changes)
        crown(self.store, self.spec.product, self.spec.tenant, reign)
        return reign

    def job(
        self, as_of: datetime, *due: Due, train: dict[str, object] | None = None, run: str = "r"
    ) -> Job:
        """What the runner gives a late stage at a time: snapshot, features, maybe a challenger."""
        rows = self.known(as_of)
        snapshot = digest([str(as_of), len(rows)])
        features = write_features(self.store, self.spec, snapshot, rows)
        outcomes = [
            Outcome(stage="ingest", status="done", facts={"snapshot": snapshot}),
            Outcome(stage="build_features", status="done", facts={"features": features}),
        ]
        if train is not None:
            outcomes.append(Outcome(stage="train", status="done", facts=train))
        entry = Entry(tenant=self.spec.tenant, due=due, outcomes=tuple(outcomes))
        version = self.pooled.version if self.pooled else None
        return Job(run, as_of, self.spec, entry, self.store, Connections(), version)

    def promote_job(self, as_of: datetime, challenger: Card | None, run: str = "r") -> Job:
        """A job whose training left this challenger."""
        due = Due(action="train", reason="no model yet")
        facts = {} if challenger is None else {"challenger": challenger.version}
        return self.job(as_of, due, train=facts, run=run)

    def predict_job(self, as_of: datetime, *windows: Window) -> Job:
        """A job for which these windows are due."""
        ids = tuple(window.id for window in windows)
        return self.job(as_of, Due(action="predict", reason="not yet predicted", windows=ids))

    def with_spec(self, **changes: object) -> "Tenancy":
        """The same tenant and store under another spec."""
        return replace(self, spec=make_spec(**changes))


def in_window(table: pd.DataFrame, window: Window) -> pd.DataFrame:
    """The rows of a table whose event happens in a window."""
    when = table[EVENT_TIME]
    return table[(when >= window.start) & (when < window.end)]


def champion(tenancy: Tenancy) -> Champion | None:
    return read_champion(tenancy.store, tenancy.spec.product, tenancy.spec.tenant)


def events(tenancy: Tenancy) -> list[tuple[str, str, int]]:
    """Kind, version and turn of every event, by time."""
    listed = list_events(tenancy.store, tenancy.spec.product, tenancy.spec.tenant)
    return [(event.kind, event.version, event.turn) for event in listed]


def receipts(tenancy: Tenancy) -> dict[Window, Receipt]:
    return read_receipts(tenancy.store, tenancy.spec.product, tenancy.spec.tenant)


def read(tenancy: Tenancy, receipt: Receipt) -> pd.DataFrame:
    """The rows that a receipt commits."""
    return from_parquet(tenancy.store.get(receipt.files[0].key).content)
