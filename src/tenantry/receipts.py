"""What was predicted: receipts, each the commit of one window's predictions by one model.

A window may have several: another model after a backfill, or a newer snapshot with rows that
arrived late. In force is one that was out of sample before one that was not, then the one of the
latest `as_of`.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from tenantry import layout
from tenantry.digests import canonical_json, sha256
from tenantry.predictions import PredictionFile, Receipt
from tenantry.records import Record
from tenantry.store.adding import put_new
from tenantry.store.contract import ObjectStore
from tenantry.times import Window, format_moment, parse_compact

_DIGITS = 12
"""How many digits of its content's digest stand in the name of a file of predictions, mostly."""

_FEW = 2
"""Windows up to which a listing of each costs less than one of a year of them."""


class ReceiptName(Record):
    """What the name of a receipt tells without reading it.

    Attributes:
        key: The receipt's key.
        window: The window's id.
        model: The version that predicted.
        in_sample: Whether the window starts before the moment that names the version.
    """

    key: str
    window: str
    model: str
    in_sample: bool

    @property
    def span(self) -> Window:
        """The window."""
        return Window.parse(self.window)


def list_predicted(
    store: ObjectStore, product: str, tenant: str, window: str = ""
) -> tuple[ReceiptName, ...]:
    """Return what was predicted, by window and key, from names: one listing, no reads.

    A key that says that it is a receipt, and tells no window, is none.

    Args:
        store: The object store.
        product: The product.
        tenant: The tenant.
        window: Only this one, by its id; all when empty.
    """
    folder = layout.predictions_folder(product, tenant)
    keys = (info.key for info in store.list(f"{folder}{window}/" if window else folder))
    receipts = (key for key in keys if key.endswith("/receipt.json"))
    return tuple(name for key in receipts for name in _parse(key, folder))


def read_receipts(
    store: ObjectStore,
    product: str,
    tenant: str,
    *,
    windows: Iterable[Window] | None = None,
    until: datetime | None = None,
) -> dict[Window, Receipt]:
    """Read the receipt in force of each window.

    Args:
        store: The object store.
        product: The product.
        tenant: The tenant.
        windows: Only these; all when None.
        until: Only receipts written as of this moment or before; all when None.

    Returns:
        By window, in order of time.
    """
    receipts: dict[Window, Receipt] = {}
    for receipt in _listed(store, product, tenant, windows, until):
        kept = receipts.get(receipt.span)
        if kept is None or _force(receipt) > _force(kept):
            receipts[receipt.span] = receipt
    return dict(sorted(receipts.items()))


def in_force(receipts: Iterable[Receipt]) -> Receipt | None:
    """Return the receipt in force of those of one window; None of none."""
    return max(receipts, key=_force, default=None)


def read_model_receipts(
    store: ObjectStore,
    product: str,
    tenant: str,
    *,
    windows: Iterable[Window] | None = None,
) -> dict[Window, dict[str, Receipt]]:
    """Read the latest receipt of each window by each model; see `read_receipts`.

    Returns:
        Window → version → receipt.
    """
    receipts: dict[Window, dict[str, Receipt]] = {}
    for receipt in _listed(store, product, tenant, windows, None):
        by_model = receipts.setdefault(receipt.span, {})
        kept = by_model.get(receipt.model)
        if kept is None or _force(receipt) > _force(kept):
            by_model[receipt.model] = receipt
    return receipts


def _listed(
    store: ObjectStore,
    product: str,
    tenant: str,
    windows: Iterable[Window] | None,
    until: datetime | None,
) -> Iterator[Receipt]:
    wanted = None if windows is None else {window.id for window in windows}
    for name in _names(store, product, tenant, wanted):
        if wanted is None or name.window in wanted:
            receipt = read_receipt(store, name.key)
            if until is None or receipt.as_of <= until:
                yield receipt


def _names(
    store: ObjectStore, product: str, tenant: str, wanted: set[str] | None
) -> Iterator[ReceiptName]:
    """Yield what was predicted: of few windows by a listing each, else by one of all."""
    if wanted is None or len(wanted) > _FEW:
        yield from list_predicted(store, product, tenant)
        return
    for window in sorted(wanted):
        yield from list_predicted(store, product, tenant, window)


def write_look(store: ObjectStore, product: str, tenant: str, as_of: datetime) -> str:
    """Record that late rows were looked for as of a moment; return the record's key."""
    key = layout.looked(product, tenant, as_of)
    put_new(store, key, canonical_json({"as_of": format_moment(as_of)}))
    return key


def write_predictions(
    store: ObjectStore, receipt: Receipt, content: bytes, *, rows: int
) -> PredictionFile:
    """Write a window's predictions as a file, which a receipt is then to name.

    The name bears digits of the content's digest: of runs that race on a window, with other specs
    or other code, none writes over the file that another's receipt names. What an overtaken run
    leaves is named by no receipt, and retention removes it. Where rows were erased from a file of
    that name, one digit more names this one.

    Args:
        store: The object store.
        receipt: What is to commit them.
        content: The file's bytes.
        rows: How many rows it holds.
    """
    sha = sha256(content)
    starts = (sha[:digits] for digits in range(_DIGITS, len(sha) + 1))
    keys = (f"{receipt.folder}part-{start}.parquet" for start in starts)
    key = next(one for one in keys if _is_there(store, one, content))
    return PredictionFile(key=key, sha256=sha, rows=rows)


def _is_there(store: ObjectStore, key: str, content: bytes) -> bool:
    """Write an object where there is none; say whether it holds this content now."""
    return put_new(store, key, content) or store.get(key).content == content


def write_receipt(store: ObjectStore, receipt: Receipt) -> bool:
    """Commit a window's predictions; say whether it was the first commit, which stays."""
    return put_new(store, receipt.key, receipt.to_json())


def parse_receipts(
    product: str, tenant: str, keys: Iterable[str]
) -> Iterator[tuple[str, Window, str]]:
    """Yield the receipts among `keys`: the key, its window and the model's version.

    A key that says that it is one, and tells no window, is none.
    """
    folder = layout.predictions_folder(product, tenant)
    for key in keys:
        if key.startswith(folder) and key.endswith("/receipt.json"):
            with suppress(ValueError):
                window, source, _ = key[len(folder) :].split("/")
                yield key, Window.parse(window), source.rsplit("-", 1)[0]


def read_receipt(store: ObjectStore, key: str) -> Receipt:
    """Read one receipt.

    Raises:
        ObjectMissingError: There is none.
        ValueError: The object is not a receipt.
    """
    return Receipt.from_json(store.get(key).content, key)


def _force(receipt: Receipt) -> tuple[Any, ...]:
    return not receipt.in_sample, receipt.as_of, receipt.model, receipt.snapshot


def _parse(key: str, folder: str) -> Iterator[ReceiptName]:
    with suppress(ValueError):
        window, source, _ = key.removeprefix(folder).split("/")
        model = source.rsplit("-", 1)[0]
        trained = parse_compact(model.split("-", 1)[0])
        in_sample = Window.parse(window).start < trained
        yield ReceiptName(key=key, window=window, model=model, in_sample=in_sample)
