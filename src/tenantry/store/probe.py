"""Find out whether a store honours conditional writes, before a fleet relies on it."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tenantry.errors import PreconditionError, StoreError
from tenantry.store.contract import ObjectStore

_REMEDY = "use MinIO, Amazon S3, SeaweedFS 4.18 or later, or another store that honours it"


def check_conditional_writes(store: ObjectStore, *, racers: int = 8) -> None:
    """Let writers race for one key, to create and to replace it, and see that one wins each time.

    Leaves nothing behind; some 40 requests.

    Args:
        store: The store.
        racers: How many write at once.

    Raises:
        StoreError: More than one won, or none did; some stores ignore the conditions.
    """
    key = f"probe/{secrets.token_hex(16)}"
    try:
        won = _race(racers, lambda content: store.put_if_absent(key, content))
        _refuse_unless_one(store, won, racers, "If-None-Match")
        won = _race(racers, lambda content: store.put_if_match(key, content, won[0]))
        _refuse_unless_one(store, won, racers, "If-Match")
    finally:
        store.delete(key)


def _race(racers: int, write: Callable[[bytes], str]) -> list[str]:
    """Return the tags of the winners."""
    start = Barrier(racers)

    def run(_: int) -> str | None:
        content = secrets.token_bytes(16)
        start.wait()
        try:
            return write(content)
        except PreconditionError:
            return None

    with ThreadPoolExecutor(racers) as pool:
        return [tag for tag in pool.map(run, range(racers)) if tag]


def _refuse_unless_one(store: ObjectStore, won: list[str], racers: int, condition: str) -> None:
    if len(won) != 1:
        msg = f"{store.url}: {len(won)} of {racers} writers won a race under {condition}, not 1"
        raise StoreError(f"{msg}; {_REMEDY}")
