"""An object that may go, and of what kind it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from tenantry.holdings import Holding

WasteKind = Literal[
    "model",
    "snapshot",
    "features",
    "prediction",
    "served",
    "monitoring",
    "serving",
    "leftover",
    "pooled",
    "fold",
    "run",
    "specs",
]

IN_WORDS: dict[WasteKind, str] = {
    "model": "models neither in use nor to be rolled back to (cards stay)",
    "snapshot": "rows that nothing kept was made from",
    "features": "feature tables, to be built again when needed",
    "prediction": "old predictions (receipts stay)",
    "served": "old answers to single rows",
    "monitoring": "old Evidently reports (judgements stay)",
    "serving": "what servers were told before",
    "leftover": "what interrupted runs left without a record",
    "pooled": "pooled models that no kept model stands on (cards stay)",
    "fold": "folds of pooled models that train no more",
    "run": "plans, ledgers and reports of old runs",
    "specs": "published specs that no longer hold",
}
"""A kind as people read it."""


@dataclass(frozen=True, order=True)
class Waste:
    """An object that may go.

    Attributes:
        key: Its key.
        kind: Of what it is.
        size: Bytes.
        modified: When it was last written, by the store's clock.
    """

    key: str
    kind: WasteKind
    size: int
    modified: datetime

    @classmethod
    def of(cls, kind: WasteKind, one: Holding) -> Self:
        """Return an object as waste."""
        return cls(one.info.key, kind, one.info.size, one.info.modified)
