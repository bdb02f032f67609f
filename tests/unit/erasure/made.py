"""A small product as runs leave it: two tenants, their pooled model, two runs; nothing trained."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa

from tenantry import layout
from tenantry.champions import Reign
from tenantry.chunks import make_chunks
from tenantry.columns import EVENT_TIME, RESERVED
from tenantry.contract import check_rows
from tenantry.crowning import crown
from tenantry.digests import canonical_json, digest, sha256
from tenantry.features.tables import write_features
from tenantry.ledger import Due, Entry, Header, Ledger
from tenantry.models.card import Card, PooledCard
from tenantry.models.pooled import PooledReign, enthrone
from tenantry.parquet import to_parquet
from tenantry.plans import Planned, RunPlan
from tenantry.predictions import PredictionFile, Receipt
from tenantry.receipts import write_receipt
from tenantry.snapshots import write_chunks
from tenantry.specs.frozen import FLEET, freeze_specs
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.times import Window, compact
from tests.unit.memory_store import MemoryStore
from tests.unit.sources.lake import make_rows, make_spec

PRODUCT, ZONE = "spending", "default"
EARLY, LATE = datetime(2024, 2, 15, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
WALL = datetime(2026, 11, 24, 12, tzinfo=UTC)
WEEK = timedelta(days=7)


def spec_of(tenant: str) -> Spec:
    return make_spec(tenant, columns={"guest": {"type": "text"}})


def rows_of(tenant: str, count=120) -> pd.DataFrame:
    """A visit every 8 hours; every fifth is by `guest-0`."""
    guests = [f"guest-{number % 5}" for number in range(count)]
    return make_rows(count, brand=tenant.upper(), start="2024-01-20", guest=guests)


@dataclass
class Made:
    """A tenant that was trained and predicted twice."""

    store: ObjectStore
    tenant: str

    @property
    def spec(self) -> Spec:
        return spec_of(self.tenant)

    def run(self, as_of: datetime) -> str:
        """Leave what ingest to monitor leave; return the model's version."""
        checked = check_rows(rows_of(self.tenant), self.spec, as_of)
        by_month = make_chunks(checked.rows, at_most=1)
        snapshot = write_chunks(self.store, self.spec, checked, by_month)
        columns = list(dict.fromkeys((*self.spec.key, *RESERVED, "amount")))
        table = checked.rows[columns]
        features = write_features(self.store, self.spec, snapshot, table)
        version = self._train(as_of, snapshot, table)
        for start in (as_of - 2 * WEEK, as_of - WEEK):
            self._predict(Window(start, start + WEEK), version, as_of, snapshot, features, table)
        folder = layout.monitoring_folder(PRODUCT, self.tenant)
        for name in ("report.html", "insights.html", "insights.json"):
            self.store.put(f"{folder}{Window(as_of - WEEK, as_of).id}/{name}", b"<html>")
        return version

    def _train(self, as_of, snapshot, table):
        version = f"{compact(as_of)}-{digest([self.tenant, snapshot])[:12]}"
        card = Card(
            product=PRODUCT,
            tenant=self.tenant,
            version=version,
            as_of=as_of,
            trained_until=as_of,
            recipe="blended",
            task="classification",
            form="own",
            weight=0.0,
            training_digest=self.spec.training_digest,
            spec_digest="s",
            snapshot=snapshot,
            features="f",
            seed=7,
            code_version="test",
            rows=len(table),
            metric="log_loss",
        )
        folder = layout.model_folder(PRODUCT, self.tenant, version)
        self.store.put(f"{folder}model.skops", b"a model")
        self.store.put(f"{folder}card.json", card.to_json())
        self.store.put(f"{folder}evaluation.parquet", to_parquet(table.assign(challenger=0.5)))
        reign = Reign(
            since=as_of,
            version=version,
            digest="d",
            trained_until=as_of,
            training_digest=self.spec.training_digest,
            recipe="blended",
            gate="promoted",
            pooled=f"{ZONE}/{pooled_version(as_of)}",
        )
        crown(self.store, PRODUCT, self.tenant, reign)
        return version

    def _predict(self, window, version, as_of, snapshot, features, table):
        when = table[EVENT_TIME]
        rows = table[(when >= window.start) & (when < window.end)]
        scored = score(rows[[*self.spec.key, EVENT_TIME]].reset_index(drop=True))
        receipt = Receipt(
            product=PRODUCT,
            tenant=self.tenant,
            window=window.id,
            model=version,
            model_digest="d",
            trained_until=as_of,
            snapshot=snapshot,
            features=features,
            as_of=as_of,
            rows=len(scored),
            decided=int(scored["decision"].sum()),
            threshold=0.5,
            mean_probability=float(scored["probability"].mean()),
            explained=int(scored["reasons"].notna().sum()),
            in_sample=False,
        )
        content = to_parquet(scored)
        key = f"{receipt.folder}part-0.parquet"
        self.store.put(key, content)
        file = PredictionFile(key=key, sha256=sha256(content), rows=len(scored))
        write_receipt(self.store, receipt.model_copy(update={"files": (file,)}))


def score(rows: pd.DataFrame) -> pd.DataFrame:
    """Predict rows by a rule, with reasons for those that are decided, as `score_rows` does."""
    probability = (rows["number"].to_numpy() % 10) / 10
    decision = probability >= 0.5
    reasons = [[{"feature": "amount", "contribution": 0.1}] if yes else None for yes in decision]
    kind = pa.list_(pa.struct({"feature": pa.string(), "contribution": pa.float64()}))
    return rows.assign(
        probability=probability.astype(np.float64),
        decision=decision,
        reasons=pd.arrays.ArrowExtensionArray(pa.array(reasons, type=kind)),
    )


def pooled_version(as_of: datetime) -> str:
    return f"{compact(as_of)}-0123456789ab"


def make_pooled(store, as_of, contributors=("acme", "bolt")):
    """Leave a pooled model that reigns."""
    card = PooledCard(
        product=PRODUCT,
        zone=ZONE,
        version=pooled_version(as_of),
        as_of=as_of,
        task="classification",
        definition="d",
        contributors=dict.fromkeys(contributors, 100),
    )
    folder = layout.pooled_folder(PRODUCT, ZONE, card.version)
    for name in ("model.skops", "fold-20240201T000000Z.skops"):
        store.put(f"{folder}{name}", b"a pooled model")
    store.put(f"{folder}card.json", card.to_json())
    reign = PooledReign(since=as_of, version=card.version, digest="d", definition="d")
    enthrone(store, PRODUCT, ZONE, reign)
    return f"{ZONE}/{card.version}"


def make_run(store, run, tenants, product=PRODUCT, shard=""):
    """Leave what a run leaves: plan, frozen specs, ledgers, pooled outcome, page."""
    due = (Due(action="train", reason="no model yet"),)
    shards = {tenant: shard or tenant for tenant in tenants}
    for name in sorted(set(shards.values())):
        mine = [tenant for tenant in tenants if shards[tenant] == name]
        header = Header(run=run, product=product, as_of=EARLY, shard=name)
        ledger = Ledger(header=header, entries=tuple(Entry(tenant=one, due=due) for one in mine))
        for stage in ("plan", "ingest"):
            store.put(layout.ledger(run, name, stage), ledger.to_lines())
        freeze_specs(store, run, name, [spec_of(one) for one in mine])
    freeze_specs(store, run, FLEET, [spec_of(one) for one in tenants])
    outcome = {
        "zones": {ZONE: pooled_version(EARLY)},
        "contributors": dict.fromkeys(tenants, 7),
        "failures": {},
        "denied": list(tenants),
        "message": f"left out: {', '.join(tenants)}",
    }
    store.put(layout.pooled_outcome(run), canonical_json(outcome))
    bill = "".join(f"{one},1.0\n" for one in ("tenant", *tenants))
    store.put(layout.bill(run), bill.encode())
    store.put(layout.fleet_report(run), f"<html>{' '.join(tenants)}</html>".encode())
    plan = RunPlan(
        run=run,
        product=product,
        title="Spending",
        as_of=EARLY,
        shards=tuple(sorted(set(shards.values()))),
        tenants={name: Planned(shard=shards[name], due=due) for name in tenants},
    )
    store.put(layout.plan(run), plan.to_json())


def make_product(store) -> tuple[Made, Made]:
    """Two tenants after two runs, each model on the pooled one of its time."""
    made = Made(store, "acme"), Made(store, "bolt")
    for as_of in (EARLY, LATE):
        make_pooled(store, as_of)
        for tenant in made:
            tenant.run(as_of)
    make_run(store, "run-1", ("acme", "bolt"), shard="both")
    make_run(store, "run-2", ("acme", "bolt"))
    return made


def contents(store, *, but=()) -> dict[str, bytes]:
    """Every object by key, but those whose key holds one of `but`."""
    keys = [info.key for info in store.list("")]
    return {key: store.get(key).content for key in keys if not any(one in key for one in but)}


@cache
def _whole() -> MemoryStore:
    store = MemoryStore()
    make_product(store)
    return store


def fresh_store() -> MemoryStore:
    """A store of its own that holds the product."""
    store = MemoryStore()
    for key, content in contents(_whole()).items():
        store.put(key, content)
    return store
