"""The spec of a tenant, field by field: the product's defaults merged with the tenant's own file.

Each field's description is shown by editors through the generated JSON Schema.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from tenantry.digests import digest
from tenantry.specs.shared import parts_digest
from tenantry.times import Duration, Moment, PositiveDuration

API_VERSION = "tenantry/v2"

RECIPES = ("blended", "stacked", "pooled", "logistic", "boosted", "prior")
"""The candidates that a spec may name."""

POOLED_RECIPES = ("blended", "stacked", "pooled")
"""Those that need the pooled model."""

DNS_LABEL = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
COLUMN_NAME = r"^[A-Za-z][A-Za-z0-9_]{0,62}$"
CONNECTION_NAME = r"^([a-z0-9-]|\{region\}){1,63}$"
VARIABLE_NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"

DnsLabel = Annotated[str, StringConstraints(pattern=DNS_LABEL)]
ColumnName = Annotated[str, StringConstraints(pattern=COLUMN_NAME)]
ConnectionName = Annotated[str, StringConstraints(pattern=CONNECTION_NAME)]
VariableName = Annotated[str, StringConstraints(pattern=VARIABLE_NAME)]
Share = Annotated[float, Field(ge=0, le=1)]


class SpecPart(BaseModel):
    """Base of all parts of a spec: frozen, unknown fields are faults."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


# --- data ---------------------------------------------------------------------------------------


TENANT = "{tenant}"
"""Stands for the tenant's name in a source's path."""

REGION = "{region}"
"""Stands for the tenant's home region in the name of a source's connection."""


class Source(SpecPart):
    """One table in one place."""

    name: DnsLabel
    """What messages call it."""
    connection: ConnectionName
    """A name in `connections.yaml`; `{region}` stands for the tenant's home region."""
    kind: Literal["parquet", "csv", "sql"]
    """How it is read."""
    path: str
    """File or folder below the connection (Parquet, CSV), or the table's name (SQL); `{tenant}`
    stands for the tenant's name."""


class AsOfJoin(SpecPart):
    """Take the latest observation not later than the row's `known_at`."""

    column: ColumnName
    """The observation's time in the joined source."""
    tolerance: PositiveDuration
    """How old an observation may be."""


class JoinedSource(Source):
    """A table whose columns are joined to the rows by key, and by time where it says so."""

    on: dict[ColumnName, ColumnName]
    """Columns of the rows → columns of this source that must be equal."""
    as_of: AsOfJoin | None = None
    """Point-in-time join; without it the source has one row a key."""
    columns: tuple[ColumnName, ...]
    """What to take."""


class Sources(SpecPart):
    """All that a product reads; bound by the platform."""

    rows: tuple[Source, ...] = Field(min_length=1)
    """Tables of the same columns, one below the other (regions, say)."""
    joins: tuple[JoinedSource, ...] = ()
    """Tables joined to them."""


class RowFilter(SpecPart):
    """Which rows are a tenant's: columns equal to parts of the tenant's name."""

    pattern: str
    """A regular expression over the tenant's name; each named group is a column."""
    case: Literal["upper", "lower"] = "lower"
    """The case of the values in the data."""


class Column(SpecPart):
    """What a column must look like."""

    type: Literal["number", "integer", "category", "text", "time", "boolean"]
    """How values are read; one that cannot be is a bad row."""
    min: float | None = None
    """Smallest number allowed."""
    max: float | None = None
    """Largest number allowed."""
    categories: tuple[str, ...] | None = None
    """Values allowed; all when absent."""
    required: bool = False
    """Whether a missing value makes a bad row."""
    max_null_share: Share = 1.0
    """Share of missing values past which the tenant's data are refused."""


class Contract(SpecPart):
    """What the rows must look like; bad rows are set aside, a broken contract stops the tenant."""

    columns: dict[ColumnName, Column]
    """By name; only these columns are read."""
    max_quarantined_share: Share = 0.2
    """Share of bad rows past which the tenant's data are refused."""


class KnownAt(SpecPart):
    """When something becomes known: a column, or a span from the event. Give exactly one."""

    column: ColumnName | None = None
    """A column that holds the moment."""
    lead: Duration | None = None
    """So long before the event (features)."""
    delay: Duration | None = None
    """So long after the event (labels)."""


class Times(SpecPart):
    """The three times of a row."""

    event_time: ColumnName
    """When it happens."""
    known_at: KnownAt = KnownAt(lead="0m")
    """When its features are known."""
    label_known_at: KnownAt
    """When its label is known."""


class Label(SpecPart):
    """What is predicted."""

    column: ColumnName
    """Where it comes from."""
    above: float | None = None
    """Classification: the label is whether the column is above this."""
    task: Literal["classification", "regression"] = "classification"
    """What kind of prediction."""
    title: str = ""
    """The label in words, for pages."""


# --- features -----------------------------------------------------------------------------------


class _Feature(SpecPart):
    title: str = ""
    """The feature in words, for reasons and pages."""
    unit: str = ""
    """Its unit, for reasons and pages."""


class NumericFeature(_Feature):
    """A column as a number."""

    kind: Literal["numeric"]
    column: ColumnName | None = None
    """The column; the feature's own name when absent."""


class CategoricalFeature(_Feature):
    """A column as a category."""

    kind: Literal["categorical"]
    column: ColumnName | None = None
    """The column; the feature's own name when absent."""


class CalendarFeature(_Feature):
    """A part of the event's local time."""

    kind: Literal["calendar"]
    part: Literal["hour", "weekday", "minute_of_day"]
    """Which part."""


class MissingFeature(_Feature):
    """Whether a column is missing."""

    kind: Literal["missing"]
    column: ColumnName
    """The column."""


class HistoryFeature(_Feature):
    """A statistic of the tenant's own past, of what was known when the row became known."""

    kind: Literal["history"]
    of: ColumnName
    """A column of numbers that is known when the label is, or `label` for the label itself."""
    by: tuple[ColumnName, ...] = ()
    """Rows alike in these columns; all of the tenant's when empty."""
    same: Literal["hour", "weekday"] | None = None
    """Only rows of the same local hour, or weekday, of the event."""
    statistic: Literal["mean", "count"] = "mean"
    """What to compute."""
    over: PositiveDuration
    """How far back."""
    min_rows: int = Field(default=1, ge=1)
    """With fewer rows a mean is missing; a count says how many there are."""


class CongestionFeature(_Feature):
    """How many of the tenant's rows happened in the time just before."""

    kind: Literal["congestion"]
    by: tuple[ColumnName, ...] = ()
    """Rows alike in these columns; all of the tenant's when empty."""
    over: PositiveDuration
    """How far back."""


Feature = Annotated[
    NumericFeature
    | CategoricalFeature
    | CalendarFeature
    | MissingFeature
    | HistoryFeature
    | CongestionFeature,
    Field(discriminator="kind"),
]


# --- models -------------------------------------------------------------------------------------


class Model(SpecPart):
    """How the tenant's model is made."""

    candidates: dict[str, dict[str, float | int | str | bool]] = Field(min_length=1)
    """Recipes by name with their parameters, in order of preference: a later one must be better
    by `margin`."""
    margin: float = Field(default=2.0, ge=0)
    """Standard errors by which a later candidate must be better than an earlier one."""
    metric: Literal["log_loss", "brier", "mae", "rmse"] = "log_loss"
    """What selection and the gate compare; lower is better."""
    seed: int = Field(default=7, ge=0)
    """Seed of all that is random."""
    min_rows: int = Field(default=200, ge=1)
    """With fewer labelled rows the tenant gets the pooled model."""
    validation: PositiveDuration
    """The span before the holdout on which candidates are compared."""
    calibration: Literal["none", "sigmoid"] = "none"
    """How probabilities are calibrated."""


class Train(SpecPart):
    """When to train, and on what."""

    every: PositiveDuration
    """Train again when the last attempt is older than this."""
    history: PositiveDuration
    """How far back rows are read."""


class Gate(SpecPart):
    """What a challenger must show before it becomes champion."""

    holdout: PositiveDuration
    """The last span before `as_of`, on which challenger and champion are compared."""
    min_rows: int = Field(default=50, ge=1)
    """Labelled rows needed for a comparison."""
    min_days: int = Field(default=7, ge=1)
    """Different days needed for a comparison."""
    without_evidence: Literal["promote", "keep"] = "promote"
    """What to do with fewer, when the champion is stale or its spec changed; a fresh champion
    stays, and a first model is promoted."""
    min_gain: float = 0.0
    """Gain in the metric that the interval must clear."""
    tolerance: float = Field(default=0.01, ge=0)
    """How much worse is still no worse, when the champion is stale or its spec changed."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Of the day-block bootstrap interval."""
    resamples: int = Field(default=1000, ge=100)
    """Of the bootstrap."""


class Explain(SpecPart):
    """Which predictions come with reasons."""

    top: int = Field(default=3, ge=0, le=20)
    """Reasons a prediction; 0 turns them off."""
    rows: Literal["decided", "all", "none"] = "decided"
    """`decided`: only predictions at or above the threshold."""


class Predict(SpecPart):
    """Which windows are predicted."""

    window: PositiveDuration
    """Length of a window."""
    start: Moment
    """Start of the first window."""
    threshold: float = Field(default=0.5, ge=0, le=1)
    """Probability from which the decision is yes."""
    late_rows: Duration = Field(default="0m", validate_default=True)
    """Rows that arrive this long after their window are scored; later ones are counted."""
    fresh_within: Duration = Field(default="1d", validate_default=True)
    """The promise: a window is predicted so long after its last row is known. Where not all can be
    done in a run, those whose promise ends first are."""
    max_windows_per_run: int | None = Field(default=None, ge=1)
    """New windows of the tenant predicted in a run at most, the oldest first; the others stay due
    for the next."""
    explain: Explain = Explain()
    """Reasons."""


class Monitor(SpecPart):
    """How predicted windows are judged."""

    wait: Duration = Field(default="0m", validate_default=True)
    """So long after a window's end its labels are taken to be complete; it is judged then, or when
    `times.label_known_at.delay` has passed. Where a column says when labels are known, those that
    come last may all be of one kind."""
    min_rows: int = Field(default=100, ge=1)
    """With fewer labelled rows a window is judged as too small to say."""
    confidence: float = Field(default=0.99, gt=0.5, lt=1)
    """Of the interval of the realised quality."""
    tolerance: float = Field(default=0.02, ge=0)
    """How much worse than promised is still no decay."""
    drift_threshold: float = Field(default=0.2, gt=0)
    """Effect size from which a feature has drifted."""
    drift_share: Share = 0.5
    """Share of drifted features from which the data set has drifted."""
    report: bool = True
    """Whether to write an Evidently report."""
    on_decay: Literal["retrain", "tell"] = "retrain"
    """What a judgement of decay or drift makes the planner do."""


class Retry(SpecPart):
    """When a tenant that failed is tried again, in logical time."""

    after: PositiveDuration = Field(default="1d", validate_default=True)
    """The first failure is tried again in the next run; after the second in a row this long passes,
    after every further one twice as long."""
    at_most: PositiveDuration = Field(default="7d", validate_default=True)
    """Never longer than this."""


class Pooling(SpecPart):
    """The tenant's part in the pooled model."""

    contribute: bool = True
    """Whether its rows may train the pooled model."""
    receive: bool = True
    """Whether it may use the pooled model."""


class Pooled(SpecPart):
    """How the pooled model of the product is made; bound by the platform."""

    every: PositiveDuration
    """Train again when it is older than this."""
    max_rows: int = Field(default=120_000, ge=100)
    """Cap of the deterministic sample."""
    folds: int = Field(default=4, ge=2, le=20)
    """Cuts in time at which scores out of fold are made for stacking."""
    parameters: dict[str, float | int] = {}
    """Of scikit-learn's HistGradientBoosting."""
    features: dict[ColumnName, Feature] = {}
    """The product's own features; filled in when specs are merged, so that a tenant with other
    features can still be scored by the pooled model."""


class Residency(SpecPart):
    """How far the tenant's rows may go."""

    zone: DnsLabel = "default"
    """The zone that its rows may not leave; there is one pooled model a zone. `default` is that of
    its region in `regions.yaml`."""
    strict: bool = False
    """Whether its rows may not leave its region either: no source of another region is read for
    it, and it is in no pool that several regions share."""


class Retention(SpecPart):
    """What `tenantry gc` may remove: what is older than this and nothing kept rests on."""

    champions: int = Field(default=3, ge=1)
    """The models that reigned last stay, however old: so many can be rolled back to."""
    models: PositiveDuration | None = None
    """Other models stay so long after they last reigned, or were trained if they never did."""
    snapshots: PositiveDuration | None = None
    """Rows stay so long after they were last read from the sources."""
    features: PositiveDuration | None = Field(default="7d", validate_default=True)
    """Feature tables, which can always be built again, stay so long after they were last used."""
    predictions: PositiveDuration | None = None
    """Predictions stay so long after their window's end; their receipts stay for good."""
    monitoring: PositiveDuration | None = None
    """Evidently reports stay so long after their window's end; judgements stay for good."""
    runs: PositiveDuration | None = None
    """Plans, ledgers and reports of runs stay so long after the run's `as_of`."""


class Resources(SpecPart):
    """What a tenant's worker may use."""

    dedicated: bool = False
    """Whether the tenant gets a shard of its own."""
    memory_mib: int = Field(default=4096, ge=256)
    """Memory limit of its worker, MiB."""
    timeout: PositiveDuration = Field(default="30m", validate_default=True)
    """Time limit of a stage for this tenant."""


# --- the whole ----------------------------------------------------------------------------------


class Declared(SpecPart):
    """What a product declares for all its tenants, and a tenant's file may change where allowed."""

    region: DnsLabel = "default"
    """Where the tenant's results live: its home."""
    residency: Residency = Residency()
    """How far its rows may go."""
    timezone: str = "UTC"
    """Of calendar features, an IANA name."""
    sources: Sources
    """What is read."""
    row_filter: RowFilter
    """Which rows are a tenant's."""
    key: tuple[ColumnName, ...] = Field(min_length=1)
    """Columns that together name a row."""
    times: Times
    """When things happen and become known."""
    contract: Contract
    """What the rows must look like."""
    label: Label
    """What is predicted."""
    features: dict[ColumnName, Feature] = Field(min_length=1)
    """What it is predicted from, by name."""
    model: Model
    """How the model is made."""
    train: Train
    """When to train, and on what."""
    gate: Gate
    """What a challenger must show."""
    predict: Predict
    """Which windows are predicted."""
    monitor: Monitor = Monitor()
    """How predicted windows are judged."""
    retry: Retry = Retry()
    """When a tenant that failed is tried again."""
    pooling: Pooling = Pooling()
    """The tenant's part in the pooled model."""
    pooled: Pooled
    """How the pooled model is made."""
    resources: Resources = Resources()
    """What a worker may use."""
    retention: Retention = Retention()
    """What may be removed when it is old."""


_TRAINED_ON = (
    "contract",
    "features",
    "key",
    "label",
    "model",
    "pooled",
    "pooling",
    "row_filter",
    "sources",
    "times",
    "timezone",
    "train",
)
"""The parts that a trained model depends on, in order."""


class Spec(Declared):
    """A tenant's declaration, whole: what a run freezes and every stage reads."""

    product: DnsLabel
    """The prediction feature."""
    tenant: DnsLabel
    """The customer account."""
    description: str = Field(default="", max_length=500)
    """For people."""
    state: Literal["active", "paused", "retired"] = "active"
    """`paused`: nothing is due; `retired`: archived, then nothing is due."""

    @property
    def training_digest(self) -> str:
        """The digest of all that a trained model depends on; another digest makes training due."""
        preference = tuple(self.model.candidates)  # maps of other order are equal as JSON
        return parts_digest(self, _TRAINED_ON, preference)

    @property
    def features_digest(self) -> str:
        """The digest of all that the feature table depends on besides the snapshot."""
        parts = {"features", "label", "times", "timezone", "key"}
        pooled = self.pooled.model_dump(mode="json", include={"features"})
        return digest(self.model_dump(mode="json", include=parts) | {"pooled": pooled})
