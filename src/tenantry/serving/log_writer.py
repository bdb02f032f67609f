"""Writing logged predictions: a file a window and version, under the tenant's own prefix.

Files are named by their content, in which each process puts a name of its own: so servers never
write one another's, and what is written again after a fault is the same file. What was erased stays
away: marks and hashes are read before a file is written and again after, so of a writing and an
erasure the one that ends later leaves nothing behind.
"""

from __future__ import annotations

import logging
import secrets
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tenantry import layout
from tenantry.digests import sha256
from tenantry.erasure.tombstones import read_marks
from tenantry.errors import ObjectMissingError, StoreError, StoreUnavailableError, TenantryError
from tenantry.predictions import PredictionFile
from tenantry.served import ServedReceipt, write_served
from tenantry.serving.log_batch import Batch
from tenantry.serving.records import ServingRecord
from tenantry.store.contract import ObjectStore

if TYPE_CHECKING:
    from tenantry.serving.log_table import Piece

LOG = logging.getLogger(__name__)


@dataclass
class Written:
    """What became of some batches.

    Attributes:
        counts: Rows by what became of them: `written`, `unplaced` (without their whole key),
            `erased` or `failed`.
        left: The batches that are to be tried again.
    """

    counts: Counter[str] = field(default_factory=Counter)
    left: list[Batch] = field(default_factory=list)


class LogWriter:
    """Writes batches; one call at a time."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._notes = {"tenantry.server": secrets.token_hex(8)}
        self._unchecked: dict[str, dict[str, list[str]]] = defaultdict(dict)
        self._has_ended = False

    def write(self, batches: Iterable[Batch]) -> Written:
        """Write batches; what a store that does not answer could not take is left."""
        done = Written()
        by_product: dict[str, list[Batch]] = defaultdict(list)
        for batch in batches:
            by_product[batch.record.product].append(batch)
        for product in {**by_product, **self._unchecked}:
            waiting = by_product[product]
            if self._has_ended:
                done.left += waiting
                continue
            try:
                self._write_product(product, waiting, done)
            except (StoreError, OSError) as error:
                LOG.warning("%s: the prediction log waits: %s", product, error)
            done.left += waiting
        return done

    def end(self) -> None:
        """Begin with no other tenant; may be called while another thread writes."""
        self._has_ended = True

    def _write_product(self, product: str, waiting: list[Batch], done: Written) -> None:
        """Write a product's batches, and take out of `waiting` what is dealt with."""
        erased, faults = self._undo_erased(product), []
        while waiting and not self._has_ended:
            batch = waiting[-1]
            try:
                done.counts += self._write_batch(batch, erased)
            except StoreUnavailableError:
                raise
            except Exception as error:  # of whatever kind: it is one tenant's
                done.counts["failed"] += len(batch.answers)
                faults.append(error)
            waiting.pop()
        if faults:
            told = _in_words(faults[-1])
            LOG.error("%s: answers are not logged (%d times): %s", product, len(faults), told)
        self._undo_erased(product)

    def _undo_erased(self, product: str) -> frozenset[str]:
        """Remove what was written for tenants that were erased meanwhile; return who was."""
        erased = read_marks(self._store, product).tenants
        for tenant, keys in self._unchecked.get(product, {}).items():
            for key in keys if tenant in erased else ():
                self._store.purge(key)
        self._unchecked.pop(product, None)
        return erased

    def _write_batch(self, batch: Batch, erased: Collection[str]) -> Counter[str]:
        """Write a tenant's rows; again without those that are erased while they are written."""
        from tenantry.serving.log_table import cut

        record = batch.record
        if record.tenant in erased:
            return Counter(erased=len(batch.answers))
        before = self._read_suppressed(record)
        while True:
            found = cut(batch, self._notes, before)
            self._put(batch, found.pieces)
            after = self._read_suppressed(record)
            if after == before:
                break
            before = after
        unplaced = len(batch.answers) - found.rows - found.erased
        return +Counter(written=found.rows, erased=found.erased, unplaced=unplaced)

    def _put(self, batch: Batch, pieces: Iterable[Piece]) -> None:
        """Write files and receipts in place of what was written of a batch before.

        All keys are noted first, so that a fault of the store leaves none that nobody looks after.
        """
        receipts = [(_receipt(batch, piece), piece.content) for piece in pieces]
        keys = [key for receipt, _ in receipts for key in (receipt.file.key, receipt.key)]
        written = self._unchecked[batch.record.product]
        written.setdefault(batch.record.tenant, []).extend(keys)
        before, batch.keys = batch.keys, {*batch.keys, *keys}
        for receipt, content in receipts:
            write_served(self._store, receipt, content)
        for key in sorted(before.difference(keys)):
            self._store.purge(key)
        batch.keys = {*keys}

    def _read_suppressed(self, record: ServingRecord) -> bytes:
        """Return the hashes of rows that are erased; empty where none ever was."""
        try:
            return self._store.get(layout.suppressed(record.product, record.tenant)).content
        except ObjectMissingError:
            return b""


def _in_words(error: Exception) -> str:
    """Say what went wrong; what others than this package say might quote a value."""
    return str(error) if isinstance(error, TenantryError) else type(error).__name__


def _receipt(batch: Batch, piece: Piece) -> ServedReceipt:
    record, entry, sha = batch.record, batch.entry, sha256(piece.content)
    place = record.product, record.tenant, piece.window, record.version, sha
    return ServedReceipt(
        product=record.product,
        tenant=record.tenant,
        window=piece.window.id,
        model=record.version,
        model_digest=record.model.skops,
        role=batch.role,
        trained_until=record.trained_until,
        record=entry.record,
        online=entry.online,
        as_of=entry.as_of,
        threshold=record.threshold,
        interval=record.interval,
        rows=piece.rows,
        first=piece.first,
        last=piece.last,
        file=PredictionFile(key=layout.served(*place), sha256=sha, rows=piece.rows),
    )
