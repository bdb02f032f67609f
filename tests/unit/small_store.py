"""Small stores made through the real records, for tests of lineage and retention."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tenantry import layout
from tenantry.champions import Pin, Reign
from tenantry.crowning import crown, move_champion
from tenantry.digests import sha256
from tenantry.events import Event, write_event
from tenantry.manifests import Chunk, Manifest
from tenantry.models.card import Card, PooledCard, PooledPart
from tenantry.models.pooled import PooledReign, enthrone
from tenantry.monitoring.judgements import Judgement, write_judgement
from tenantry.origins import Origin, SourceFile, SourceRead, write_origin
from tenantry.predictions import PredictionFile, Receipt
from tenantry.quality import Quality
from tenantry.receipts import write_receipt
from tenantry.times import Window, compact
from tests.unit.memory_store import MemoryStore

PRODUCT = "arrival-delay"
START = datetime(2013, 1, 1, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(days=7)


def day(number):
    return START + number * DAY


def week(number):
    return Window(START + number * WEEK, START + (number + 1) * WEEK)


@dataclass
class SmallStore:
    """Makes what runs leave: snapshots, models, predictions, judgements, pooled models.

    Attributes:
        store: The store.
        spec_digest: What cards and origins say.
    """

    store: MemoryStore = field(default_factory=MemoryStore)
    spec_digest: str = "5" * 64

    def snapshot(self, tenant, number, *, months=("a", "b"), run="run-1", file="part-0.parquet"):
        """A snapshot of these months' rows, read as of a day; equal months share their chunks."""
        chunks = []
        for month in months:
            content = f"{tenant} {month}".encode()
            chunks.append(Chunk(month="2013-01", sha256=sha256(content), rows=10))
            key = layout.chunk(PRODUCT, tenant, chunks[-1].sha256)
            self.store.put(key, content)
        quality = Quality(rows=10 * len(chunks), labelled=10 * len(chunks))
        manifest = Manifest(rows=quality.rows, chunks=tuple(chunks), quality=quality)
        sha = sha256(manifest.to_json())
        self.store.put(layout.snapshot(PRODUCT, tenant, sha), manifest.to_json())
        write_origin(self.store, self._origin(tenant, sha, number, months, run, file))
        return sha

    def _origin(self, tenant, sha, number, months, run, file):
        content = " ".join(months).encode()
        source = SourceFile(name=file, size=len(content), sha256=sha256(content), modified=START)
        read = SourceRead(
            source="flights",
            connection="ewr",
            kind="parquet",
            path="flights",
            rows=10,
            files=(source,),
        )
        return Origin(
            product=PRODUCT,
            tenant=tenant,
            snapshot=sha,
            as_of=day(number),
            run=run,
            spec_digest=self.spec_digest,
            code_version="image@1",
            rows=10 * len(months),
            fingerprint=self.fingerprint(tenant, months),
            reads=(read,),
        )

    @staticmethod
    def fingerprint(tenant, months=("a", "b")):
        return f"{10 * len(months)}-{sha256(' '.join((tenant, *months)).encode())[:32]}"

    def features(self, tenant, name):
        content = f"features {tenant} {name}".encode()
        self.store.put(layout.features(PRODUCT, tenant, sha256(content)), content)
        return sha256(content)

    def model(
        self, tenant, number, snapshot, *, name="", pooled=None, weighed="", features="f" * 64
    ):
        """A tenant's model with all its files."""
        content = f"model {tenant} {number} {name}".encode()
        part = pooled and PooledPart(
            zone=pooled.zone, version=pooled.version, digest=pooled.file_digest
        )
        card = Card(
            product=PRODUCT,
            tenant=tenant,
            version=f"{compact(day(number))}-{sha256(content)[:12]}",
            as_of=day(number),
            trained_until=day(number),
            recipe="pooled" if pooled else "logistic",
            task="classification",
            form="pooled" if pooled else "own",
            weight=0.0,
            pooled=part,
            weighed=weighed,
            content_digest=sha256(content),
            file_digest=sha256(content),
            training_digest="t" * 64,
            spec_digest=self.spec_digest,
            snapshot=snapshot,
            features=features,
            seed=7,
            code_version="image@1",
            rows=20,
            metric="log_loss",
        )
        folder = layout.model_folder(PRODUCT, tenant, card.version)
        self.store.put(f"{folder}model.skops", content)
        self.store.put(f"{folder}evaluation.parquet", b"evaluation")
        self.store.put(f"{folder}metrics.json", b"{}")
        self.store.put(f"{folder}card.json", card.to_json())
        return card

    def crown(self, card, *, run="run-1", why="promoted: better"):
        """Let a model reign from its day on."""
        reign = Reign(
            since=card.as_of,
            version=card.version,
            digest=card.file_digest,
            trained_until=card.trained_until,
            training_digest=card.training_digest,
            recipe=card.recipe,
            gate=why,
            run=run,
        )
        crown(self.store, PRODUCT, card.tenant, reign)
        self.decide(card, "promoted", run=run, why=why)
        return reign

    def decide(self, card, kind="kept", *, run="run-1", why="kept: no better"):
        event = Event(
            kind=kind,
            as_of=card.as_of,
            product=PRODUCT,
            tenant=card.tenant,
            run=run,
            version=card.version,
            sentence=why,
        )
        return write_event(self.store, event)

    def pin(self, card):
        pin = Pin(version=card.version, who="ann", why="trust", when=START, as_of=card.as_of)
        move_champion(
            self.store,
            PRODUCT,
            card.tenant,
            lambda champion: champion.model_copy(
                update={"pin": pin, "counter": champion.counter + 1}
            ),
        )

    def predict(self, card, window, snapshot, *, number, in_sample=False, run="run-1", rows=5):
        """A window's predictions and their receipt."""
        receipt = Receipt(
            product=PRODUCT,
            tenant=card.tenant,
            window=window.id,
            model=card.version,
            model_digest=card.file_digest,
            trained_until=card.trained_until,
            snapshot=snapshot,
            features=card.features,
            as_of=day(number),
            run=run,
            rows=rows,
            decided=1,
            threshold=0.5,
            mean_probability=0.25,
            in_sample=in_sample,
        )
        content = f"{card.tenant} {card.version} {window} {snapshot}".encode()
        file = PredictionFile(
            key=f"{receipt.folder}part-0.parquet", sha256=sha256(content), rows=rows
        )
        self.store.put(file.key, content)
        receipt = receipt.model_copy(update={"files": (file,)})
        write_receipt(self.store, receipt)
        return receipt

    def judge(self, receipt, snapshot, *, number, run="run-1"):
        """The judgement of a window, with its page."""
        judgement = Judgement(
            product=PRODUCT,
            tenant=receipt.tenant,
            window=receipt.window,
            as_of=day(number),
            run=run,
            model=receipt.model,
            receipt=receipt.key,
            snapshot=snapshot,
            features=receipt.features,
            status="ok",
            sentence="as promised",
        )
        pages = (layout.monitoring_page, layout.insights, layout.insights_page)
        for page in (layout.drift_report, *pages):
            self.store.put(page(PRODUCT, receipt.tenant, receipt.span), b"<html>")
        return write_judgement(self.store, judgement)

    def pool(self, number, tenants, *, zone="default", denied=(), months=("a", "b"), folds=2):
        """A pooled model that learnt from the rows of `tenants`, and reigns from its day on."""
        content = f"pooled {zone} {number} {sorted(tenants)}".encode()
        cuts = {compact(day(number - one)): sha256(b"fold") for one in range(1, folds + 1)}
        card = PooledCard(
            product=PRODUCT,
            zone=zone,
            version=f"{compact(day(number))}-{sha256(content)[:12]}",
            as_of=day(number),
            task="classification",
            definition="d" * 64,
            content_digest=sha256(content),
            file_digest=sha256(content),
            folds=cuts,
            contributors=dict.fromkeys(tenants, 10),
            fingerprints={tenant: self.fingerprint(tenant, months) for tenant in tenants},
            denied=tuple(denied),
            rows=10 * len(tenants),
        )
        folder = layout.pooled_folder(PRODUCT, zone, card.version)
        for cut in cuts:
            self.store.put(f"{folder}fold-{cut}.skops", b"fold")
        self.store.put(f"{folder}model.skops", content)
        self.store.put(f"{folder}card.json", card.to_json())
        reign = PooledReign(
            since=card.as_of,
            version=card.version,
            digest=card.file_digest,
            definition=card.definition,
            run="run-1",
        )
        enthrone(self.store, PRODUCT, zone, reign)
        return card
