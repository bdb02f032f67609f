"""What a window's predictions are: files of rows, and the receipt that commits them."""

from tenantry import layout
from tenantry.records import Record
from tenantry.times import Moment, Window, WindowId

PROBABILITY, DECISION, REASONS = "probability", "decision", "reasons"
"""Columns of a file of predictions; the probability, or of a regression the value."""

PROBABILITIES = "probabilities"
"""Of several classes: one probability a class, an Arrow structure."""

LOW, HIGH = "low", "high"
"""The ends of a prediction's interval; only where the spec asks for one."""

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
    window: WindowId
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


def prediction_folder(
    product: str, tenant: str, window: Window, *, model: str, snapshot: str
) -> str:
    """Return the folder of the predictions of a window by one model from one snapshot."""
    source = f"{model}-{snapshot[:SNAPSHOT_DIGITS]}"
    return layout.prediction_folder(product, tenant, window, source)
