"""The parts of a spec that say how a tenant is run: predicted, watched, tried again, kept."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from tenantry.specs.parts import DnsLabel, Share, SpecPart
from tenantry.times import Duration, Moment, PositiveDuration


class Costs(SpecPart):
    """A threshold from what the two kinds of mistakes cost, in any unit."""

    false_positive: float = Field(gt=0)
    """Cost of a yes that should have been no."""
    false_negative: float = Field(gt=0)
    """Cost of a no that should have been yes."""

    @property
    def threshold(self) -> float:
        """The probability from which a yes costs less on average (Elkan, 2001)."""
        return self.false_positive / (self.false_positive + self.false_negative)


class TargetRate(SpecPart):
    """A threshold from the share of rows that are to be decided yes."""

    target_rate: float = Field(gt=0, lt=1)
    """The share of rows decided yes, as of the holdout when the model was trained."""
    otherwise: Share = 0.5
    """The threshold of a model whose holdout has fewer than 30 scored rows."""


def _kind_of_threshold(value: object) -> str:
    if isinstance(value, TargetRate) or (isinstance(value, dict) and "target_rate" in value):
        return "rate"
    return "costs" if isinstance(value, dict | Costs) else "number"


Threshold = Annotated[
    Annotated[Share, Tag("number")]
    | Annotated[Costs, Tag("costs")]
    | Annotated[TargetRate, Tag("rate")],
    Discriminator(_kind_of_threshold),
]
"""What a threshold follows from."""


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
    threshold: Threshold = 0.5
    """Probability from which the decision is yes: a number, or settled for each model from what
    mistakes cost or from the share of rows to decide yes."""
    interval: float | None = Field(default=None, gt=0, lt=1)
    """Regression: predictions come with an interval that holds so large a share of the labels."""
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


class Promises(SpecPart):
    """What is promised of freshness besides `predict.fresh_within`, and how often it must hold."""

    model_age: PositiveDuration | None = None
    """The promise: the champion has learnt from rows up to so long ago; twice `train.every` when
    absent."""
    kept: float = Field(default=0.95, ge=0, le=1)
    """The share of windows, and of time, in which a promise must hold: the rest is its error
    budget."""
    over: PositiveDuration = Field(default="90d", validate_default=True)
    """The span over which that is counted."""


class Monitor(SpecPart):
    """How predicted windows are judged."""

    wait: Duration = Field(default="0m", validate_default=True)
    """So long after a window's end its labels are taken to be complete; it is judged then, or when
    `times.label_known_at.delay` has passed. Where a column says when labels are known, those that
    come last may all be of one kind."""
    min_rows: int = Field(default=50, ge=1)
    """With fewer labelled rows a window is judged as too small to say."""
    confidence: float = Field(default=0.99, gt=0.5, lt=1)
    """Of the interval of the realised quality."""
    tolerance: float = Field(default=0.02, ge=0)
    """How much worse than promised is still no decay."""
    false_alarms: float = Field(default=0.05, gt=0, lt=1)
    """The chance of any false alarm in a year in which nothing changes."""
    drift_threshold: float = Field(default=0.1, gt=0, le=1)
    """Effect size from which a feature has drifted."""
    label_threshold: float = Field(default=0.04, gt=0, le=1)
    """The same for the label and for predictions."""
    volume_threshold: float = Field(default=0.5, gt=0, le=1)
    """Share of rows too few or too many from which the volume has drifted."""
    report: bool = True
    """Whether to write an Evidently report."""
    report_all: int = Field(default=50, ge=0)
    """In a fleet of up to so many tenants each gets one; in a larger one those that alarm do, and
    a sample."""
    report_share: float = Field(default=0.02, ge=0, le=1)
    """The sample's share of such a fleet, drawn anew for each window."""
    on_decay: Literal["retrain", "rollback", "tell"] = "retrain"
    """What a judgement of decay makes the planner do; `rollback` goes back to the champion before,
    or trains again where none is left that was not judged as decayed, too."""
    on_drift: Literal["retrain", "tell"] = "tell"
    """The same for drift without decay."""
    pause: Duration = Field(default="28d", validate_default=True)
    """A judgement asks for nothing within so long after one that did."""
    promises: Promises = Promises()
    """What is promised of freshness."""


class Insights(SpecPart):
    """What is told of the tenant to others."""

    comparable: bool = False
    """Whether its figures may be among those that comparable tenants are shown, without its name
    and never fewer than five together; then it is shown theirs."""


class Retry(SpecPart):
    """When a tenant that failed is tried again, in logical time."""

    after: PositiveDuration = Field(default="1d", validate_default=True)
    """The first failure is tried again in the next run; after the second in a row this long passes,
    after every further one twice as long."""
    at_most: PositiveDuration = Field(default="7d", validate_default=True)
    """Never longer than this."""


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
    """Predictions, and logged answers to single rows, stay so long after their window's end; the
    predictions' receipts stay for good."""
    monitoring: PositiveDuration | None = None
    """Evidently reports and tenants' pages stay so long after their window's end; judgements stay
    for good."""
    runs: PositiveDuration | None = None
    """Plans, ledgers and reports of runs stay so long after the run's `as_of`, published specs so
    long after they were published; those that hold stay."""


class Log(SpecPart):
    """Which of the servers' answers are kept in the store, beside the batch's predictions."""

    share: Share = 0.0
    """The share of requests whose rows are logged, drawn at random; 0 turns it off. Rows without
    their whole key are not: no label could be told of them."""


class Challenger(SpecPart):
    """A second model that answers beside the champion, or is scored beside it."""

    version: str = Field(default="latest", pattern=r"^(latest|\d{8}T\d{6}Z-[0-9a-f]{2,64})$")
    """Which one: `latest` is the newest that was trained with the champion or later and that the
    gate did not promote; or a version that the store still has."""
    share: Share = 0.05
    """The share of requests, by a hash of the first row's key: one key always goes the same way."""
    mode: Literal["shadow", "canary"] = "shadow"
    """`shadow`: the champion answers, the challenger is scored afterwards, and both are logged;
    `canary`: the challenger answers that share. While the champion is pinned a canary is a
    shadow."""


class Serving(SpecPart):
    """Whether rows are also answered for one at a time, by `tenantry serve`."""

    enabled: bool = False
    """Whether runs publish what a server needs: a record of how the model answers, and the past
    that its features look at."""
    back: Duration = Field(default="1d", validate_default=True)
    """How long before a run's `as_of` a row may have happened, or become known, to be asked for
    still; the published past reaches back by as much more."""
    log: Log = Log()
    """Which answers are kept, for `monitor` to judge."""
    challenger: Challenger | None = None
    """A model that is tried beside the champion; none when absent."""

    @property
    def is_logged(self) -> bool:
        """Whether any answers are kept in the store."""
        return self.log.share > 0 or self.challenger is not None


class Resources(SpecPart):
    """What a tenant's worker may use."""

    dedicated: bool = False
    """Whether the tenant gets a shard of its own."""
    size: DnsLabel = "standard"
    """Its size class: a schedule may start one run for each, with its own CPU and memory."""
    memory_mib: int = Field(default=4096, ge=256)
    """Memory limit of its worker, MiB."""
    timeout: PositiveDuration = Field(default="30m", validate_default=True)
    """Time limit of a stage for this tenant."""
