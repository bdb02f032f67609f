"""What is known of how a tenant fares: its judgements, and which models reigned meanwhile."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tenantry.champions import Champion
from tenantry.monitoring.history import Judged
from tenantry.monitoring.judgements import Judgement, read_judgement
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore

_ASKED = 12
"""Judgements that asked for something whose sentences are read, the latest."""


@dataclass(frozen=True)
class TenantFacts:
    """What is known of how a tenant fares.

    Attributes:
        spec: Its spec: titles, thresholds, policy.
        judgement: Of its latest judged window.
        asked: The judgements that asked for something, by time.
        champion: Its reigns as of the judgement; None when no model was ever crowned.
        has_report: Whether an Evidently report lies beside the judgement.
    """

    spec: Spec
    judgement: Judgement
    asked: tuple[Judgement, ...] = ()
    champion: Champion | None = None
    has_report: bool = False

    @property
    def past(self) -> tuple[Judged, ...]:
        """The judged windows by time, the latest last."""
        return (*self.judgement.history, self.judgement.in_short)


def gather_tenant_facts(
    store: ObjectStore,
    spec: Spec,
    judgements: Sequence[Judgement],
    champion: Champion | None,
    *,
    has_report: bool,
) -> TenantFacts:
    """Gather what is known of how a tenant fares.

    Args:
        store: The store; the sentences of earlier judgements that asked for something are read.
        spec: The tenant's spec.
        judgements: By time, the latest last; at least one. They need not be in the store yet.
        champion: Its reigns.
        has_report: Whether an Evidently report lies beside the latest.
    """
    latest = judgements[-1]
    known = {one.window: one for one in judgements}
    wanted = [one for one in (*latest.history, latest.in_short) if one.action != "none"]

    def read() -> Iterator[Judgement]:
        for one in wanted[-_ASKED:]:
            found = known.get(one.window) or read_judgement(
                store, spec.product, spec.tenant, one.span
            )
            if found:
                yield found

    return TenantFacts(
        spec=spec,
        judgement=latest,
        asked=tuple(read()),
        champion=champion.until(latest.as_of) if champion else None,
        has_report=has_report,
    )
