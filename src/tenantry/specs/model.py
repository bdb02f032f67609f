"""The spec of a tenant, field by field: the product's defaults merged with the tenant's own file.

Each field's description is shown by editors through the generated JSON Schema.
"""

from typing import Literal

from pydantic import Field

from tenantry.digests import digest
from tenantry.specs.data import Contract, Label, RowFilter, Sources, Times
from tenantry.specs.features import Feature
from tenantry.specs.learning import Gate, Model, Pooled, Pooling, Train
from tenantry.specs.operation import (
    Insights,
    Monitor,
    Predict,
    Residency,
    Resources,
    Retention,
    Retry,
    Serving,
)
from tenantry.specs.parts import ColumnName, DnsLabel, SpecPart
from tenantry.specs.shared import parts_digest

API_VERSION = "tenantry/v2"


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
    insights: Insights = Insights()
    """What is told of it to others."""
    retry: Retry = Retry()
    """When a tenant that failed is tried again."""
    pooling: Pooling = Pooling()
    """The tenant's part in the pooled model."""
    pooled: Pooled
    """How the pooled model is made."""
    serving: Serving = Serving()
    """Whether rows are answered for one at a time, too."""
    resources: Resources = Resources()
    """What a worker may use."""
    retention: Retention = Retention()
    """What may be removed when it is old."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of a multi-class label, in the contract's order; their places are its codes.

        Empty for other tasks.
        """
        column = self.contract.columns.get(self.label.column)
        if self.label.task != "multiclass" or column is None:
            return ()
        return column.categories or ()


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


_SERVED_BY = (
    "contract",
    "features",
    "key",
    "label",
    "pooled",
    "pooling",
    "predict",
    "row_filter",
    "serving",
    "sources",
    "times",
    "timezone",
)
"""The parts that a serving record depends on, in order."""


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
        classes = {"classes": self.classes} if self.classes else {}
        return digest(self.model_dump(mode="json", include=parts) | {"pooled": pooled} | classes)


def serving_digest(spec: Spec) -> str:
    """Return the digest of all that a serving record depends on besides the model."""
    return parts_digest(spec, _SERVED_BY, ("serving",))
