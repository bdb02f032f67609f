"""What a server needs of a tenant, as records: how one version of its model answers a request.

They are named by their content and lie under the tenant's own prefix. Which of them counts says the
change index, see `tenantry.serving.index`.
"""

from typing import Literal

from pydantic import Field

from tenantry import layout
from tenantry.digests import sha256
from tenantry.errors import StoreError
from tenantry.models.card import Form, Task
from tenantry.predictions import Interval
from tenantry.records import Record
from tenantry.specs.data import Column, Times
from tenantry.specs.features import Feature
from tenantry.specs.operation import Explain, Threshold
from tenantry.store.contract import ObjectStore
from tenantry.times import Duration, Moment


class ModelFile(Record):
    """Where a version's model lies, and the digests of its files.

    Attributes:
        version: The version.
        skops: SHA-256 of ``model.skops``.
        packed: SHA-256 of ``packed.bin``; empty where there is none, and of a pooled model, which
            the tenant's own file names.
        zone: Of a pooled model the residency zone; empty for a tenant's own.
    """

    version: str
    skops: str
    packed: str = ""
    zone: str = ""

    def folder(self, product: str, tenant: str) -> str:
        """Return the folder of its files."""
        if self.zone:
            return layout.pooled_folder(product, self.zone, self.version)
        return layout.model_folder(product, tenant, self.version)


class Join(Record):
    """A source whose columns are joined to a request's fields.

    Attributes:
        name: The source.
        on: The fields that must be equal.
        columns: What it adds.
        tolerance: How old an observation may be; None where the source has one row a key.
    """

    name: str
    on: tuple[str, ...]
    columns: tuple[str, ...]
    tolerance: Duration | None = None


class Logging(Record):
    """Which answers are logged, and in which windows their events lie.

    Attributes:
        share: The share of requests that are.
        start: Start of the first window.
        window: Length of a window.
    """

    share: float
    start: Moment
    window: Duration


class ServingRecord(Record):
    """How one version of a tenant's model answers: its files, and what its spec says of a row.

    Attributes:
        form: Of this record; grows when older servers would misread it.
        product: The product.
        tenant: The tenant.
        model: The version and its files.
        pooled: The pooled model it stands on; None without one.
        trained_until: Nothing later was seen in training.
        recipe: How the model was made: `pooled`, `logistic`, …
        task: What it predicts.
        parts: How own and pooled pipelines make a score.
        classes: Of a multi-class label, in the order of the answer's probabilities.
        threshold: The probability from which the decision is yes; None for regression.
        interval: Of a regression whose spec asks for one.
        threshold_rule: What the threshold follows from, as the spec says it.
        interval_level: The share of labels that an interval is to hold; None where none is asked.
        label: The label in words.
        explain: How many reasons, and for which answers.
        spec: Digest of what the spec says of serving.
        timezone: Of calendar features, an IANA name.
        key: The columns that together name a row.
        times: When a row happens and becomes known.
        columns: What a request's fields must look like, by name; outcomes are left out.
        bound: Fields that every row of the tenant has, by its row filter; a request may leave them
            out.
        joins: Where fields come from that a request may leave out, too.
        features: Column of the feature table → feature, titles and units included.
        own: What the tenant's own model reads of the table, in order.
        shared: What the pooled model reads, by its name for it → column of the table.
        known_as: What the pooled model is told as the tenant; empty where it never knew it.
        back: How long after a row became known it may still be asked for.
        log: Which answers are logged; None where none are, nor a challenger's.
    """

    form: Literal[1] = 1
    product: str
    tenant: str
    model: ModelFile
    pooled: ModelFile | None = None
    trained_until: Moment
    recipe: str
    task: Task
    parts: Form
    classes: tuple[str, ...] = ()
    threshold: float | None = None
    interval: Interval | None = None
    threshold_rule: Threshold = 0.5
    interval_level: float | None = None
    label: str = ""
    explain: Explain = Explain()
    spec: str = ""
    timezone: str = "UTC"
    key: tuple[str, ...]
    times: Times
    columns: dict[str, Column]
    bound: dict[str, str] = Field(default_factory=dict)
    joins: tuple[Join, ...] = ()
    features: dict[str, Feature]
    own: tuple[str, ...]
    shared: dict[str, str] = Field(default_factory=dict)
    known_as: str = ""
    back: Duration
    log: Logging | None = None

    @property
    def version(self) -> str:
        """The model's version."""
        return self.model.version


def write_record(store: ObjectStore, record: ServingRecord) -> str:
    """Write a serving record; equal records are one object.

    Returns:
        The SHA-256 of its bytes, part of its key.
    """
    content = record.to_json()
    sha = sha256(content)
    key = layout.serving_record(record.product, record.tenant, sha)
    if store.find(key) is None:
        store.put(key, content)
    return sha


def read_record(store: ObjectStore, product: str, tenant: str, sha: str) -> ServingRecord:
    """Read a serving record.

    Raises:
        ObjectMissingError: There is none of that digest.
        StoreError: Its bytes have another digest, or it is another tenant's.
        ValueError: It is no such record; a later release may have written it.
    """
    key = layout.serving_record(product, tenant, sha)
    content = store.get(key).content
    if sha256(content) != sha:
        msg = f"{key}: the bytes have another digest; delete it, and the next run publishes anew"
        raise StoreError(msg)
    record = ServingRecord.from_json(content, key)
    if (record.product, record.tenant) != (product, tenant):
        msg = f"{key}: is the record of another tenant; delete it, and the next run publishes anew"
        raise StoreError(msg)
    return record
