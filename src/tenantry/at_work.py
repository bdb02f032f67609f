"""Who of a shard is being worked on, so that whoever takes it down is known to the next plan.

A shard that dies (out of memory, its node lost) tells nobody why. So it keeps an object in the
store that names the tenants at work, and those that are next while they follow each other fast:
writing it anew for each of many that take milliseconds would cost more than some of them do. The
object is gone when a stage has come to its end, unless a tenant took its worker down; what died
leaves it beside its opening (`tenantry.openings`). Whoever is named is suspect until a later run
has worked on it and lived, or the trail tells of the death.
"""

import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from itertools import islice

from tenantry import layout
from tenantry.errors import ObjectMissingError, PreconditionError
from tenantry.ledger import Header
from tenantry.records import Record
from tenantry.store.contract import ObjectStore

_SOON = 1.0
"""Seconds that what is written may be old, and that those named ahead may take together."""

_AHEAD = 7
"""Tenants named ahead at most: as many innocents may get shards of their own."""


class AtWork(Record):
    """Who of a shard is being worked on.

    Attributes:
        product: The product.
        run: The run.
        shard: The shard.
        stage: The stage.
        tenants: Those at work or next, and those that took their worker down before.
    """

    product: str
    run: str
    shard: str
    stage: str
    tenants: tuple[str, ...]

    @property
    def key(self) -> str:
        """Where it is kept."""
        return layout.at_work(self.product, self.run, self.shard)


def find_at_work(store: ObjectStore, key: str) -> AtWork | None:
    """Read who of a shard is being worked on, or was when it died; None when nobody is.

    Raises:
        ValueError: The object is not such a record.
    """
    with suppress(ObjectMissingError):
        return AtWork.from_json(store.get(key).content, key)
    return None


def strike(store: ObjectStore, product: str, run: str, tenants: Collection[str]) -> None:
    """Take tenants that lived through a run out of what other runs left, dead ones as a rule.

    What is written meanwhile stays.
    """
    own = layout.at_work_folder(product, run)
    for info in store.list(layout.at_work_folder(product)):
        found = None if info.key.startswith(own) else find_at_work(store, info.key)
        if found is None or not set(found.tenants) & set(tenants):
            continue
        if rest := tuple(name for name in found.tenants if name not in tenants):
            with suppress(PreconditionError):
                left = found.model_copy(update={"tenants": rest})
                store.put_if_match(info.key, left.to_json(), info.tag)
        else:
            store.delete(info.key)


class Marker:
    """Keeps the store told who of a shard is being worked on in a stage."""

    def __init__(
        self,
        store: ObjectStore,
        header: Header,
        queue: Iterable[str],
        died: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make a marker; nothing is written before a tenant begins.

        Args:
            store: The store.
            header: The shard, and the stage.
            queue: The tenants, in the order in which they will begin.
            died: Those that took their worker down in an earlier stage.
            clock: Seconds.
        """
        self._store, self._header, self._clock = store, header, clock
        self._waiting = dict.fromkeys(queue)
        self._working: set[str] = set()
        self._died = set(died)
        self._named: set[str] = set()
        self._written, self._ended = clock(), 0

    def begin(self, tenant: str) -> None:
        """Name a tenant before a worker begins with it."""
        self._working.add(tenant)
        self._waiting.pop(tenant, None)
        age = self._clock() - self._written
        if tenant not in self._named or age > _SOON:
            rate = self._ended / max(age, 1e-3)
            ahead = min(_AHEAD, int(rate * _SOON))
            self._write({*self._working, *islice(self._waiting, ahead)})

    def end(self, tenant: str, *, died: bool) -> None:
        """Tell that the worker has ended with a tenant, or by it."""
        self._working.discard(tenant)
        self._ended += 1
        if died:
            self._died.add(tenant)

    def close(self) -> None:
        """Name nobody any more but those that took their worker down."""
        if self._died:
            self._write(set())
        else:
            self._store.delete(self._record(set()).key)

    def _write(self, tenants: set[str]) -> None:
        record = self._record(tenants | self._died)
        self._store.put(record.key, record.to_json())
        self._named, self._written, self._ended = tenants, self._clock(), 0

    def _record(self, tenants: set[str]) -> AtWork:
        header = self._header
        return AtWork(
            product=header.product,
            run=header.run,
            shard=header.shard,
            stage=header.stage,
            tenants=tuple(sorted(tenants)),
        )
