"""What was predicted: receipts, each the commit of one window's predictions by one model.

A window may have several: another model after a backfill, or a newer snapshot with rows that
arrived late. In force is one that was out of sample before one that was not, then the one of the
latest `as_of`.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from tenantry import layout
from tenantry.digests import canonical_json
from tenantry.records import Record
from tenantry.store.adding import put_new
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment, Window, format_moment, parse_compact

PROBABILITY, DECISION, REASONS = "probability", "decision", "reasons"
"""Columns of a file of predictions; the probability, or of a regression the value."""

PROBABILITIES = "probabilities"
"""Of several classes: one probability a class, an Arrow structure."""

LOW, HIGH = "low", "high"
"""The ends of a prediction's interval; only where the spec asks for one."""

_FEW = 2
"""Windows up to which a listing of each costs less than one of a year of them."""

SNAPSHOT_DIGITS = 12
"""How many digits of a snapshot's digest stand in a prediction's folder."""


class PredictionFile(Record):
    """A Parquet file of predictions.

    Attributes:
        key: Its key.
        sha256: The digest of its bytes.
        rows: How many.
    """

    key: str
    sha256: str
    rows: int


class Interval(Record):
    """The interval that a regression's predictions came with.

    Attributes:
        level: The share of labels that lie within, if rows are like those of the model's holdout.
        low: What was added to a prediction for the lower end.
        high: What was added for the upper end.
        rows: Residuals of the holdout that it was taken from.
    """

    level: float
    low: float
    high: float
    rows: int


class Receipt(Record):
    """The commit of a window's predictions.

    Attributes:
        product: The product.
        tenant: The tenant.
        window: The window's id.
        model: The version that predicted.
        model_digest: The digest of its file.
        trained_until: Of that model.
        snapshot: The snapshot of the rows.
        features: The feature table's digest.
        as_of: The logical time of the run.
        run: The run.
        rows: Rows predicted.
        late: Of them, how many arrived after the receipt before this one.
        decided: Of them, how many at or above the threshold.
        threshold: The probability from which the decision is yes; None for regression.
        interval: What a regression whose spec asks for one added for the ends of an interval; None
            where the model's holdout was too small.
        mean_probability: Over the rows (the mean value for regression); None without rows.
        explained: Rows with reasons.
        in_sample: Whether the window starts before the model reigned: never evidence.
        files: Where the predictions are; none without rows.
        erased: Rows that were erased from them since; the counts above are without these.
    """

    product: str
    tenant: str
    window: str
    model: str
    model_digest: str
    trained_until: Moment
    snapshot: str
    features: str
    as_of: Moment
    run: str = ""
    rows: int
    late: int = 0
    decided: int
    threshold: float | None
    interval: Interval | None = None
    mean_probability: float | None
    explained: int = 0
    in_sample: bool
    files: tuple[PredictionFile, ...] = ()
    erased: int = 0

    @property
    def span(self) -> Window:
        """The window."""
        return Window.parse(self.window)

    @property
    def folder(self) -> str:
        """The folder that holds this receipt."""
        return prediction_folder(
            self.product, self.tenant, self.span, model=self.model, snapshot=self.snapshot
        )

    @property
    def key(self) -> str:
        """The receipt's key."""
        return f"{self.folder}receipt.json"


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


def prediction_folder(
    product: str, tenant: str, window: Window, *, model: str, snapshot: str
) -> str:
    """Return the folder of the predictions of a window by one model from one snapshot."""
    source = f"{model}-{snapshot[:SNAPSHOT_DIGITS]}"
    return layout.prediction_folder(product, tenant, window, source)


def list_predicted(
    store: ObjectStore, product: str, tenant: str, window: str = ""
) -> tuple[ReceiptName, ...]:
    """Return what was predicted, by window and key, from names: one listing, no reads.

    Args:
        store: The object store.
        product: The product.
        tenant: The tenant.
        window: Only this one, by its id; all when empty.
    """
    folder = layout.predictions_folder(product, tenant)
    keys = (info.key for info in store.list(f"{folder}{window}/" if window else folder))
    return tuple(_parse(key, folder) for key in keys if key.endswith("/receipt.json"))


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


def write_receipt(store: ObjectStore, receipt: Receipt) -> bool:
    """Commit a window's predictions; say whether it was the first commit, which stays."""
    return put_new(store, receipt.key, receipt.to_json())


def parse_receipts(
    product: str, tenant: str, keys: Iterable[str]
) -> Iterator[tuple[str, Window, str]]:
    """Yield the receipts among `keys`: the key, its window and the model's version.

    Raises:
        ValueError: A key says that it is one, and tells no window.
    """
    folder = layout.predictions_folder(product, tenant)
    for key in keys:
        if key.startswith(folder) and key.endswith("/receipt.json"):
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


def _parse(key: str, folder: str) -> ReceiptName:
    window, source, _ = key.removeprefix(folder).split("/")
    model = source.rsplit("-", 1)[0]
    trained = parse_compact(model.split("-", 1)[0])
    return ReceiptName(
        key=key, window=window, model=model, in_sample=Window.parse(window).start < trained
    )
