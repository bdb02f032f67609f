"""Find out whether a store keeps the contract, before a fleet relies on it.

Some stores take a conditional write and ignore the condition, some check it and write in two steps,
some proxies strip it. So whatever is about to write asks for proof, once a store: it is kept in
the store under the identity of what answered, and a server that changed is probed again.
`docs/decisions/0012-proven-stores.md` tells which stores are known to fail.
"""

import pickle
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier

from tenantry import layout
from tenantry.digests import sha256
from tenantry.errors import (
    ObjectMissingError,
    PreconditionError,
    StoreError,
    StoreUnavailableError,
)
from tenantry.records import Record
from tenantry.store.contract import ObjectStore

_REMEDY = (
    "use a store that keeps its word, e.g. Amazon S3, MinIO of October 2025 or SeaweedFS 4.18 or"
    " later, with no proxy that changes requests; known to fail are SeaweedFS before 4.18, MinIO"
    " before September 2025, RustFS and Versity S3 Gateway before their fixes of 2026, Alibaba OSS"
)
_ABSENT, _MATCH = "If-None-Match: *", "If-Match"
_RACERS = 8
_WRITERS, _ROUNDS = 4, 3
_ABANDONED = timedelta(hours=1)
"""A probe is over in seconds; what is left of an older one was left by a process that died."""


class Proof(Record):
    """That a server has proven the contract.

    Attributes:
        identity: What answered, see `ObjectStore.identify`.
        level: What was asked of it; grows when this module asks for more.
    """

    identity: str
    level: int = 1


def trust_store(store: ObjectStore) -> bool:
    """Make sure that a store has proven the contract; whatever writes to it asks this first.

    A store that is known costs three requests, and nothing is written to it.

    Returns:
        Whether it had to be probed.

    Raises:
        StoreError: The store breaks the contract; the message names the condition.
    """
    proof = Proof(identity=store.identify())
    key = layout.store_proof(sha256(proof.identity.encode()))
    _remove_abandoned(store)
    if _read(store, key) == proof:
        return False
    probe_store(store)
    store.put(key, proof.to_json())
    return True


def probe_store(store: ObjectStore) -> None:
    """Prove a store's contract under writers at once; some 200 requests, and nothing stays.

    Proven are: put-if-absent; put-if-match with the right tag, with others and without an object;
    that another client reads and lists a write at once, and no longer what was removed.

    Raises:
        StoreError: The store breaks the contract; the message names the condition.
    """
    folder = f"{layout.PROBING_FOLDER}{secrets.token_hex(16)}/"
    try:
        store.put(f"{folder}plain", b"")  # what fails here is not about conditions
        tag = _prove_absent(store, f"{folder}race")
        _prove_match(store, f"{folder}race", tag)
        _prove_match_of_nothing(store, f"{folder}none", tag)
        _prove_visible(store, f"{folder}seen/")
    finally:
        store.purge(folder)


def _read(store: ObjectStore, key: str) -> Proof | None:
    try:
        return Proof.from_json(store.get(key).content, key)
    except (ObjectMissingError, ValueError):
        return None


def _remove_abandoned(store: ObjectStore) -> None:
    for info in list(store.list(layout.PROBING_FOLDER)):
        if datetime.now(UTC) - info.modified > _ABANDONED:
            store.purge(info.key)


# --- conditions -----------------------------------------------------------------------------------


def _prove_absent(store: ObjectStore, key: str) -> str:
    """Prove that one writer of many creates an object, and none where there is one."""
    won = _race(store, key, partial(store.put_if_absent, key), _ABSENT)
    _refused(store, lambda: store.put_if_absent(key, b"again"), f"{_ABSENT}, where there is one")
    _unchanged(store, key, won, _ABSENT)
    return won[1]


def _prove_match(store: ObjectStore, key: str, tag: str) -> None:
    """Prove that one writer of many replaces what all have read, and none what it has not."""
    won = _race(store, key, lambda content: store.put_if_match(key, content, tag), _MATCH)
    for wrong in (tag, "0" * len(tag)):
        write = partial(store.put_if_match, key, b"late", wrong)
        _refused(store, write, f"{_MATCH} with a tag that the object does not have")
    _unchanged(store, key, won, _MATCH)


def _prove_match_of_nothing(store: ObjectStore, key: str, tag: str) -> None:
    condition = f"{_MATCH} where there is no object"
    _refused(store, lambda: store.put_if_match(key, b"new", tag), condition)
    if store.find(key) is not None:
        raise _broken(store, f"a write under {condition} was refused and yet done")


def _race(
    store: ObjectStore, key: str, write: Callable[[bytes], str], condition: str
) -> tuple[bytes, str]:
    """Let writers write at once; return the content and the tag of the one that won."""
    start = Barrier(_RACERS)

    def run(content: bytes) -> tuple[bytes, str] | None:
        start.wait()
        try:
            return content, write(content)
        except PreconditionError:
            return None

    contents = [secrets.token_bytes(16) for _ in range(_RACERS)]
    with ThreadPoolExecutor(_RACERS) as pool, _conditions(store, condition):
        won = [answer for answer in pool.map(run, contents) if answer]
    if len(won) != 1:
        raise _broken(store, f"{len(won)} of {_RACERS} writers won a race under {condition}, not 1")
    _unchanged(store, key, won[0], condition)
    return won[0]


def _refused(store: ObjectStore, write: Callable[[], str], condition: str) -> None:
    try:
        with _conditions(store, condition):
            write()
    except PreconditionError:
        return
    raise _broken(store, f"a write under {condition} succeeded")


def _unchanged(store: ObjectStore, key: str, won: tuple[bytes, str], condition: str) -> None:
    found = store.get(key)
    if (found.content, found.tag) != won:
        raise _broken(store, f"a write under {condition} that had to lose was done")


@contextmanager
def _conditions(store: ObjectStore, condition: str) -> Iterator[None]:
    """Tell a store that cannot do conditional writes at all from one that lies."""
    try:
        yield
    except (PreconditionError, StoreUnavailableError):
        raise
    except StoreError as error:
        raise _broken(
            store, f"a write under {condition} fails where others work ({error})"
        ) from None


# --- visibility -----------------------------------------------------------------------------------


def _prove_visible(store: ObjectStore, folder: str) -> None:
    """Prove that another client sees each write of several writers as soon as it is answered."""
    reader: ObjectStore = pickle.loads(pickle.dumps(store))  # noqa: S301 - our own; a new client

    def write(writer: int) -> None:
        for n in range(_ROUNDS):
            key = f"{folder}{writer}-{n}"
            _see(store, reader, key, first := secrets.token_bytes(16), store.put(key, first))
            _see(store, reader, key, last := secrets.token_bytes(17), store.put(key, last))
            store.delete(key)
            if reader.find(key) or key in _keys(reader, folder):
                raise _broken(store, "what was deleted is still read or listed")

    with ThreadPoolExecutor(_WRITERS) as pool:
        list(pool.map(write, range(_WRITERS)))


def _see(store: ObjectStore, reader: ObjectStore, key: str, content: bytes, tag: str) -> None:
    found, folder = reader.find(key), key.rpartition("/")[0]
    if found is None or (found.tag, found.size) != (tag, len(content)):
        raise _broken(store, "a write is not read back at once (read-after-write)")
    if reader.get(key).content != content:
        raise _broken(store, "a write is not read back at once (read-after-write)")
    if key not in _keys(reader, f"{folder}/"):
        raise _broken(store, "a write is not listed at once (list-after-write)")


def _keys(store: ObjectStore, folder: str) -> set[str]:
    return {info.key for info in store.list(folder)}


def _broken(store: ObjectStore, fault: str) -> StoreError:
    return StoreError(f"{store.url} cannot be trusted: {fault}; {_REMEDY}")
