"""What a ledger tells of what its run left of a tenant, so that it need not be read again.

Only what the run itself put where nothing was: the object then holds what the run put there. A
worker's word counts for its own tenant, like the object that it would write; what cannot be
understood is not told, and is read.
"""

from collections.abc import Iterator

from tenantry import layout
from tenantry.events import DECISIONS, parse_names
from tenantry.facts import Attempt, Predicted
from tenantry.ledger import Entry, Header
from tenantry.receipts import parse_receipts
from tenantry.states import TenantRecord
from tenantry.times import Window


def told_by_ledger(entry: Entry, header: Header) -> TenantRecord:
    """Return what a tenant's line in a ledger tells of the decision and of the receipts."""
    return TenantRecord(
        entry.tenant,
        attempts=frozenset(_read_attempts(entry, header)),
        predicted=dict(_read_predicted(entry, header)),
    )


def _read_attempts(entry: Entry, header: Header) -> Iterator[Attempt]:
    rows, digest = entry.fact("train", "rows"), entry.fact("promote", "training_digest")
    place = header.product, entry.tenant
    key = layout.event(*place, str(entry.fact("promote", "recorded")))
    if not isinstance(rows, int) or not isinstance(digest, str):
        return
    for name in parse_names([key], layout.events_folder(*place)):
        is_of_challenger = name.version == entry.fact("train", "challenger")
        if is_of_challenger and name.kind in DECISIONS and name.as_of == header.as_of:
            yield Attempt(
                as_of=name.as_of,
                version=name.version,
                training_digest=digest,
                rows=rows,
                turn=name.turn,
                promoted=name.kind == "promoted",
            )


def _read_predicted(entry: Entry, header: Header) -> Iterator[tuple[Window, tuple[Predicted, ...]]]:
    """Yield what was predicted, where all windows were alike and none had such a receipt."""
    outcome = entry.outcome("predict")
    keys = outcome.keys if outcome else ()
    windows, in_sample = entry.fact("predict", "windows"), entry.fact("predict", "in_sample")
    if windows != entry.fact("predict", "committed") or in_sample not in (0, windows):
        return
    for _, window, model in parse_receipts(header.product, entry.tenant, keys):
        yield window, (Predicted(header.as_of, model, in_sample != 0),)
