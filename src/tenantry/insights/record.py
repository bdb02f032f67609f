"""What is told of a tenant; the JSON beside its judgements, and its schema.

Imports neither NumPy nor pandas: the command line reads it.
"""

import json
from typing import Any, Literal

from pydantic import ConfigDict

from tenantry.records import Record
from tenantry.times import Moment


class Part(Record):
    """Base of the parts; their fields' docstrings are the schema's descriptions."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Estimate(Part):
    """A figure with its interval."""

    value: float
    """The figure."""
    low: float | None = None
    """Lower end of its 95 % interval, from whole days; null where there are too few."""
    high: float | None = None
    """Upper end."""


class Performance(Part):
    """How good the predictions were on rows whose outcome is known."""

    rows: int
    """Predictions whose outcome is known."""
    days: int
    """Different days among them."""
    metric: str
    """What is measured, e.g. log_loss; lower is better."""
    realised: float
    """Its value."""
    baseline: float
    """Its value had the mean outcome (each class's share) been said each time."""
    skill: float | None
    """The share of the baseline's loss that the predictions save; null where there is no loss."""
    auc: float | None = None
    """How often one that comes true has the higher probability than one that does not;
    classification only."""
    mean_prediction: float
    """Mean probability, or value; of several classes the most probable one's."""
    outcome: Estimate
    """Mean outcome: the share that came true, or the mean value; of several classes how often the
    most probable one was right."""
    coverage: float | None = None
    """Share of the outcomes within the predictions' intervals; null without intervals."""


class Driver(Part):
    """A feature's part in the reasons that predictions were given."""

    feature: str
    """The feature's name."""
    title: str
    """The feature in words."""
    share: float
    """Its share of the weight of all reasons, 0 to 1."""
    raises: float
    """The share of its own weight that raises the prediction, 0 to 1."""
    before: float | None = None
    """Its share in the span before; null without reasons then."""
    change: Estimate | None = None
    """How much the share grew since, with its interval; null without reasons then."""
    has_changed: bool = False
    """Whether the change stands out among those of all features (Benjamini-Hochberg, 10 %)."""


class Drivers(Part):
    """What drives the predictions, and how that changed in a month."""

    rows: int = 0
    """Predictions with reasons in the last 28 days."""
    rows_before: int = 0
    """The same of the 28 days before."""
    drivers: tuple[Driver, ...] = ()
    """Features, the largest share first."""
    note: str = ""
    """Why there are none; empty when there are."""


class Segment(Part):
    """Rows alike in something, whose outcome differs from the rest's beyond chance."""

    features: tuple[str, ...]
    """What they are alike in: names of features."""
    title: str
    """The same in words."""
    value: str
    """What they have in common, in words."""
    rows: int
    """How many, of those whose outcome is known."""
    outcome: Estimate
    """Their mean outcome."""
    rest: float
    """The others' mean outcome."""
    predicted: float
    """Their mean prediction."""
    difference: Estimate
    """How much the outcome differs from the rest's."""
    p_value: float
    """How often chance alone differs so much, by whole days."""
    q_value: float
    """The same, adjusted for all segments that were tested (Benjamini-Hochberg)."""


class Segments(Part):
    """Where the outcome concentrates."""

    tested: int = 0
    """Segments that had enough rows to be tested."""
    false_share: float = 0.1
    """So large a share of the segments found is false at most, on average."""
    found: tuple[Segment, ...] = ()
    """Those that differ: what is in excess of the rest, in outcomes, most first."""


class Action(Part):
    """What acting from a probability on would have meant."""

    threshold: float
    """The probability from which one acts."""
    is_current: bool = False
    """Whether this is the threshold in use."""
    acted: int
    """Rows at or above it."""
    hits: int
    """Of them, those that came true."""
    false_alarms: int
    """Of them, those that did not."""
    missed: int
    """Rows below it that came true."""
    precision: Estimate | None = None
    """The share of hits among those acted on; null where one never acts."""
    recall: float | None = None
    """The share of those that came true that were acted on; null where none came true."""
    cost: float | None = None
    """What mistakes cost, in the spec's unit; null without costs in the spec."""


class PeerFigure(Part):
    """A tenant's figure among those of comparable tenants."""

    name: str
    """Which figure."""
    title: str
    """The figure in words."""
    own: float
    """The tenant's own."""
    low: float
    """The peers' lower quartile."""
    median: float
    """The peers' median."""
    high: float
    """The peers' upper quartile."""


class Peers(Part):
    """Comparable tenants, without names: only those that allow it, five at least."""

    tenants: int
    """How many."""
    figures: tuple[PeerFigure, ...]
    """What is compared."""


class Insights(Part):
    """What can be told of a tenant, as of a moment; nothing later is in it."""

    format: Literal["tenantry.insights/v1"] = "tenantry.insights/v1"
    """The form of this document."""
    product: str
    """The product."""
    tenant: str
    """The tenant."""
    label: str
    """What is predicted, in words."""
    task: Literal["classification", "regression", "multiclass"]
    """The kind of prediction."""
    as_of: Moment
    """The logical time; nothing later was read."""
    since: Moment
    """Windows that began before are not in it."""
    model: str
    """Version of the model that predicted the latest window."""
    windows: int
    """Predicted windows in it, all out of sample."""
    rows: int
    """Predictions in them."""
    performance: Performance | None = None
    """How good; null where fewer outcomes are known than the spec asks for."""
    drivers: Drivers = Drivers()
    """What drives the predictions."""
    segments: Segments = Segments()
    """Segments whose outcome differs from the rest's; none for several classes."""
    acting: tuple[Action, ...] = ()
    """The effect of acting, the lowest threshold first; classification only."""
    peers: Peers | None = None
    """Comparable tenants; null in the store: it is added when somebody asks."""
    is_comparable: bool = False
    """Whether the tenant allows others to be compared with it, without its name."""


def insights_schema() -> dict[str, Any]:
    """Return the JSON Schema of the document."""
    schema = Insights.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def write_schema() -> str:
    """Return the schema as it stands in docs/insights.schema.json."""
    return json.dumps(insights_schema(), indent=2, ensure_ascii=False) + "\n"
