"""Writes the facts of a tenant into a store as the stages do, for tests of what reads them."""

from dataclasses import dataclass

from tenantry import layout
from tenantry.champions import Reign
from tenantry.crowning import crown
from tenantry.digests import sha256
from tenantry.events import Event, write_event
from tenantry.models.card import Card
from tenantry.monitoring.judgements import Judgement, write_judgement
from tenantry.predictions import Receipt
from tenantry.receipts import write_receipt
from tenantry.store.contract import ObjectStore
from tenantry.times import compact

PRODUCT = "arrival-delay"


@dataclass(frozen=True)
class StoredTenant:
    """A tenant in a store."""

    store: ObjectStore
    tenant: str = "ua"

    def train(self, as_of, *, promoted=True, turn=0, rows=1000, digest="t"):
        """Leave what training and the gate leave; return the version."""
        version = f"{compact(as_of)}-{sha256(f'{digest}{turn}'.encode())[:12]}"
        card = Card(
            product=PRODUCT,
            tenant=self.tenant,
            version=version,
            as_of=as_of,
            trained_until=as_of,
            recipe="pooled",
            task="classification",
            form="own",
            weight=0.0,
            training_digest=digest,
            spec_digest="s",
            snapshot="s",
            features="f",
            seed=7,
            code_version="test",
            rows=rows,
            metric="log_loss",
        )
        self.store.put(
            f"{layout.model_folder(PRODUCT, self.tenant, version)}card.json", card.to_json()
        )
        if promoted:
            self.crown(as_of, version, turn=turn, digest=digest)
        self.tell("promoted" if promoted else "kept", as_of, version, turn, digest)
        return version

    def crown(self, as_of, version, *, turn=0, digest="t"):
        """Let a version reign."""
        reign = Reign(
            since=as_of,
            version=version,
            digest="d" * 64,
            trained_until=as_of,
            training_digest=digest,
            recipe="pooled",
            gate="promoted: first model",
            evidence={"challenger": version},
            run="r",
            turn=turn,
        )
        crown(self.store, PRODUCT, self.tenant, reign)

    def tell(self, what, as_of, version="", turn=0, digest="", stage="", run="r", **evidence):
        """Write an event."""
        event = Event(
            kind=what,
            as_of=as_of,
            product=PRODUCT,
            tenant=self.tenant,
            run=run,
            version=version,
            training_digest=digest,
            sentence=what,
            turn=turn,
            stage=stage,
            evidence=evidence,
        )
        write_event(self.store, event)

    def predict(self, window, version, as_of, *, in_sample=False, snapshot="5" * 64):
        """Write a receipt."""
        receipt = Receipt(
            product=PRODUCT,
            tenant=self.tenant,
            window=window.id,
            model=version,
            model_digest="d",
            trained_until=as_of,
            snapshot=snapshot,
            features="f",
            as_of=as_of,
            rows=1,
            decided=0,
            threshold=0.5,
            mean_probability=0.5,
            in_sample=in_sample,
        )
        write_receipt(self.store, receipt)

    def judge(self, window, as_of, *, action="none"):
        """Write a judgement."""
        judgement = Judgement(
            product=PRODUCT,
            tenant=self.tenant,
            window=window.id,
            as_of=as_of,
            status="ok" if action == "none" else "decayed",
            sentence="judged",
            action=action,
        )
        write_judgement(self.store, judgement)

    def look(self, as_of):
        """Leave the marker that late rows were looked for."""
        self.store.put(layout.looked(PRODUCT, self.tenant, as_of), b"{}")
