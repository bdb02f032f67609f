"""What servers answered: logged predictions of single rows, and the receipts that commit them.

They lie beside the batch's predictions, never among them: a row may be in both. The columns are the
batch's (key, event time, probability, decision, …) and `ANSWERED_AT`; a window has as many files as
servers wrote, each named by its content, so that no two of them ever write the same one.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from tenantry import layout
from tenantry.digests import sha256
from tenantry.errors import ObjectMissingError
from tenantry.predictions import Interval, PredictionFile
from tenantry.records import Record
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment, Window, WindowId

ANSWERED_AT = "answered_at"
"""The column that says when a row was answered."""

Role = Literal["champion", "challenger"]
"""What a model was to the tenant when it answered."""


class ServedReceipt(Record):
    """The commit of a file of logged predictions: one window, one model in one role.

    Attributes:
        product: The product.
        tenant: The tenant.
        window: The id of the window in which the rows' events lie.
        model: The version that predicted.
        model_digest: The digest of its file.
        role: What it was.
        trained_until: Of that model: a row whose event is earlier proves nothing.
        record: SHA-256 of the serving record that it answered by.
        online: SHA-256 of the online features; empty without.
        as_of: The logical time of the run that published these: nothing known later is in them.
        threshold: The probability from which the decision is yes; None for regression.
        interval: Of a regression whose spec asks for one.
        rows: Rows in the file.
        first: When the first of them was answered.
        last: When the last was.
        file: The file.
        erased: Rows that were erased from it since.
    """

    product: str
    tenant: str
    window: WindowId
    model: str
    model_digest: str
    role: Role
    trained_until: Moment
    record: str
    online: str = ""
    as_of: Moment
    threshold: float | None
    interval: Interval | None = None
    rows: int
    first: Moment
    last: Moment
    file: PredictionFile
    erased: int = 0

    @property
    def span(self) -> Window:
        """The window."""
        return Window.parse(self.window)

    @property
    def key(self) -> str:
        """The receipt's key, beside the file's."""
        return f"{self.file.key.removesuffix('.parquet')}.json"

    def of_file(self, content: bytes, rows: int) -> "ServedReceipt":
        """Return the receipt of a file that takes the place of this one's, with fewer rows."""
        sha = sha256(content)
        key = layout.served(self.product, self.tenant, self.span, self.model, sha)
        file = PredictionFile(key=key, sha256=sha, rows=rows)
        erased = self.erased + self.rows - rows
        return self.model_copy(update={"file": file, "rows": rows, "erased": erased})


def write_served(store: ObjectStore, receipt: ServedReceipt, content: bytes) -> None:
    """Write a file of logged predictions, then the receipt that commits it."""
    store.put(receipt.file.key, content)
    store.put(receipt.key, receipt.to_json())


def read_served(
    store: ObjectStore, product: str, tenant: str, window: Window, *, until: datetime
) -> Iterator[ServedReceipt]:
    """Yield what was logged in a window, by key: one listing.

    Args:
        store: The object store.
        product: The product.
        tenant: The tenant.
        window: The window in which the rows' events lie.
        until: Only what was answered as of this moment (logical time) or before.

    Raises:
        ValueError: An object is not such a receipt.
    """
    folder = f"{layout.served_folder(product, tenant)}{window.id}/"
    for info in store.list(folder):
        if info.key.endswith(".json"):
            receipt = read_served_receipt(store, info.key)
            if receipt is not None and receipt.as_of <= until:
                yield receipt


def read_served_receipt(store: ObjectStore, key: str) -> ServedReceipt | None:
    """Read one receipt; None where it is gone since it was listed.

    Raises:
        ValueError: The object is not such a receipt.
    """
    try:
        return ServedReceipt.from_json(store.get(key).content, key)
    except ObjectMissingError:
        return None
