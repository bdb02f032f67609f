"""Rows that a tenant must never have again: keyed hashes of what names them, never the values.

A source may go on delivering a row that was erased. So what named it stays on record as a keyed
hash (HMAC-SHA-256; the key lies beside, for the hash guards against reading, not against whoever
holds the store), and `ingest` leaves out every row whose hash is there.
"""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from tenantry import layout
from tenantry.digests import canonical_json
from tenantry.errors import ObjectMissingError
from tenantry.records import Record
from tenantry.reigns import swap
from tenantry.specs.data import Column
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.values import as_texts, read_values

Mask = NDArray[np.bool_]


class Suppressed(Record):
    """What a tenant's rows must not be.

    Attributes:
        counter: Grows with every write, so that no two states have the same bytes.
        salt: The key of the hashes, hexadecimal.
        entries: By the columns that name a row: hashes of those columns' values.
    """

    counter: int = 1
    salt: str
    entries: tuple["SuppressedKeys", ...] = ()

    def add(self, columns: Sequence[str], hashes: Sequence[str]) -> "Suppressed":
        """Return the record with more hashes; the same when it has them."""
        kept = {entry.columns: set(entry.hashes) for entry in self.entries}
        known = kept.setdefault(tuple(columns), set())
        if known.issuperset(hashes):
            return self
        known.update(hashes)
        entries = (
            SuppressedKeys(columns=names, hashes=tuple(sorted(some)))
            for names, some in sorted(kept.items())
        )
        return self.model_copy(update={"counter": self.counter + 1, "entries": tuple(entries)})


class SuppressedKeys(Record):
    """The rows named by some columns.

    Attributes:
        columns: Of the contract.
        hashes: Of their values, sorted.
    """

    columns: tuple[str, ...] = Field(min_length=1)
    hashes: tuple[str, ...]


def read_suppressed(store: ObjectStore, product: str, tenant: str) -> Suppressed | None:
    """Read what a tenant's rows must not be; None when nothing was ever erased by key.

    Raises:
        ValueError: The object is not such a record.
    """
    key = layout.suppressed(product, tenant)
    try:
        return Suppressed.from_json(store.get(key).content, key)
    except ObjectMissingError:
        return None


def suppress(store: ObjectStore, spec: Spec, rows: pd.DataFrame) -> tuple[str, ...]:
    """Put rows on record as never to be had again.

    Args:
        store: The store.
        spec: The tenant's spec.
        rows: What names them: columns of the contract, values of any type.

    Returns:
        Their hashes, sorted.
    """
    columns = tuple(sorted(str(name) for name in rows.columns))
    hashes: set[str] = set()

    def change(found: Suppressed | None) -> Suppressed:
        before = found or Suppressed(salt=secrets.token_hex(32))
        hashes.clear()
        hashes.update(filter(None, hash_rows(before.salt, rows, columns, spec.contract.columns)))
        return before.add(columns, sorted(hashes))

    swap(store, layout.suppressed(spec.product, spec.tenant), Suppressed, change)
    return tuple(sorted(hashes))


def find_suppressed(
    suppressed: Suppressed, rows: pd.DataFrame, contract: Mapping[str, Column]
) -> Mask:
    """Say which rows are suppressed; what names them may be among their columns or not.

    Args:
        suppressed: The record.
        rows: Rows with columns of the contract, as read or typed or as text.
        contract: What columns must look like, by name.
    """
    found = np.zeros(len(rows), dtype=bool)
    for entry in suppressed.entries:
        known = contract.keys() & set(rows.columns)
        if len(rows) and known.issuperset(entry.columns):
            wanted = set(entry.hashes)
            hashes = hash_rows(suppressed.salt, rows, entry.columns, contract)
            found |= np.fromiter((one in wanted for one in hashes), dtype=bool, count=len(rows))
    return found


def hash_rows(
    salt: str, rows: pd.DataFrame, columns: Sequence[str], contract: Mapping[str, Column]
) -> list[str | None]:
    """Return a hash for each row; None where a value is missing."""
    texts = [_texts(rows[name], contract[name]) for name in columns]
    key, made = bytes.fromhex(salt), dict[tuple[str | None, ...], str | None]()
    hashes = []
    for values in zip(*texts, strict=True):
        if values not in made:
            made[values] = _hash(key, values)
        hashes.append(made[values])
    return hashes


def _hash(key: bytes, values: tuple[str | None, ...]) -> str | None:
    if None in values:
        return None
    return hmac.digest(key, canonical_json(values), "sha256").hex()


def _texts(column: "pd.Series[Any]", contract: Column) -> list[str | None]:
    """Write a column so that a value has one text, however it came."""
    values = read_values(column, contract.type)
    texts = as_texts(values.clean).astype(object)
    if values.bad.any():
        texts = texts.mask(values.bad, as_texts(column).astype(object))
    return [text if isinstance(text, str) else None for text in texts]
