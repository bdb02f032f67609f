"""What tenants give to the pooled model: many at once where that is the same, else one by one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from tenantry.columns import TENANT
from tenantry.contract import CheckedRows
from tenantry.contract_batch import check_batch, owners_of
from tenantry.erasure.suppression import read_suppressed
from tenantry.erasure.tombstones import Marks
from tenantry.errors import StoreError, TenantryError
from tenantry.fingerprints import pooled_fingerprint, pooled_fingerprints
from tenantry.sources.batch import ROWS, TooManyRowsError, read_batch, split_batches
from tenantry.sources.collect import collect_rows, read_span
from tenantry.sources.connections import Connections
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.text import plain
from tenantry.training.pooled import batch_contribution, contribution
from tenantry.transient import retry_transient


@dataclass(frozen=True)
class Contributions:
    """What tenants contribute as of a time, and why others could not.

    Attributes:
        as_of: The run's logical time.
        store: Where it is written what was erased.
        connections: Where sources lie.
        marks: Whose rows were erased before.
        at_once: Rows that are read at once at most, where that is more than one tenant's.
        prints: Tenant → fingerprint of its rows, of those who contributed so far.
    """

    as_of: datetime
    store: ObjectStore
    connections: Connections
    marks: Marks
    at_once: int = ROWS
    prints: dict[str, str] = field(default_factory=dict)
    _failures: dict[str, str] = field(default_factory=dict)

    @property
    def failures(self) -> dict[str, str]:
        """Tenant → why its rows could not be had, in words; by name."""
        return dict(sorted(self._failures.items()))

    def of(self, specs: Iterable[Spec]) -> Iterator[pd.DataFrame]:
        """Yield what tenants contribute, see `training.pooled.contribution`; noting who does.

        A tenant of whom something has to be told is read alone, and so is one whose rows cannot be
        read with those of others.

        Raises:
            StoreError: The store failed.
        """
        for batch in split_batches(specs):
            yield from self._of_batch([s for s in batch if s.tenant not in self.marks.rows])
            for spec in batch:
                if spec.tenant not in self.prints:
                    yield from self._of_tenant(spec)

    def _of_batch(self, batch: Sequence[Spec]) -> Iterator[pd.DataFrame]:
        """Yield what tenants contribute that can be read together, and surely have no faults."""
        if len(batch) < 2:
            return
        try:
            given, prints = self._read_batch(batch)
        except TooManyRowsError:
            middle = len(batch) // 2
            yield from self._of_batch(batch[:middle])
            yield from self._of_batch(batch[middle:])
        except Exception:  # it comes again, and is told, where they are read one by one
            return
        else:
            self.prints.update(prints)
            if len(given):
                yield given

    def _read_batch(self, batch: Sequence[Spec]) -> tuple[pd.DataFrame, dict[str, str]]:
        span = read_span(batch[0], self.as_of)
        frame = read_batch(batch, self.connections, span, self.at_once)
        rows = check_batch(frame, batch, self.as_of)
        given = batch_contribution(rows, batch, self.as_of)
        prints = pooled_fingerprints(rows, batch[0], owners_of(rows))
        names = {*given[TENANT].unique()}
        told = {batch[place].tenant: one for place, one in prints.items()}
        return given, {name: one for name, one in told.items() if name in names}

    def _of_tenant(self, spec: Spec) -> Iterator[pd.DataFrame]:
        attempts = retry_transient(first_wait=0.5, longest_wait=10)
        try:
            checked = attempts(self._collect, spec)
            given = contribution(checked.rows, spec, self.as_of)
        except StoreError:  # no tenant's fault: a pool without it would stay in use for weeks
            raise
        except Exception as error:
            self._failures[spec.tenant] = _in_words(error)
            return
        if len(given):
            self.prints[spec.tenant] = pooled_fingerprint(checked.rows, spec)
            yield given
        else:
            self._failures[spec.tenant] = "no row has a label that is known by now"

    def _collect(self, spec: Spec) -> CheckedRows:
        """Read a tenant's rows, without those that were erased."""
        erased = spec.tenant in self.marks.rows
        suppressed = read_suppressed(self.store, spec.product, spec.tenant) if erased else None
        return collect_rows(spec, self.connections, self.as_of, suppressed=suppressed)


def _in_words(error: Exception) -> str:
    # other libraries' messages may quote rows
    if isinstance(error, TenantryError):
        return plain(str(error))
    return f"{type(error).__name__} while its rows were read"
