"""Model cards: what a model is, what it was made from and how good it was."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from pydantic import Field

from tenantry import layout
from tenantry.errors import ModelFileError, ObjectMissingError
from tenantry.records import Record, Whole
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment

Form = Literal["own", "pooled", "blend", "stack"]
"""How a model makes a score of the tenant's own pipeline and the pooled one."""

Task = Literal["classification", "regression", "multiclass"]
"""What a model predicts."""


class PooledPart(Record):
    """Which pooled model a tenant's model stands on.

    Attributes:
        zone: The residency zone it pools.
        version: Its version.
        digest: SHA-256 of its file.
    """

    zone: str
    version: str
    digest: str


class Slice(Record):
    """How good a model was on a part of the holdout.

    Attributes:
        feature: The feature that names the part.
        value: The feature's value there, as text.
        rows: Labelled rows.
        metrics: Metric → value of the challenger; empty with too few rows to say.
        pooled: The spec's metric of the pooled model on the same rows; None without one.
        gain_low: Lower bound of the gain over the pooled model; None with less than the evidence
            that the gate asks for. The confidence is raised for the number of slices.
        gain_high: Its upper bound.
    """

    feature: str
    value: str
    rows: int
    metrics: dict[str, float] = Field(default_factory=dict)
    pooled: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None


class Card(Record):
    """What a model is; lies beside its file as ``card.json``.

    Attributes:
        product: The prediction feature.
        tenant: The customer account.
        version: ``<as_of>-<12 hex digits of content_digest>``.
        as_of: The logical time of the run that trained it.
        trained_until: No row known later was used to fit it.
        recipe: Name of the chosen candidate.
        task: What it predicts.
        classes: Of a multi-class model, in the order of its probabilities; else none.
        form: How own and pooled pipelines make a score.
        weight: Of the own pipeline in a blend.
        slope: Of the calibration, in link space.
        intercept: Of the calibration, in link space.
        pooled: The pooled model it stands on; None without one.
        weighed: The pooled model that candidates were made of and weighed against, chosen or not,
            ``<zone>/<version>``; empty without one.
        content_digest: SHA-256 of the model's canonical content: its identity.
        file_digest: SHA-256 of ``model.skops``; checked before the file is opened.
        training_digest: Of the parts of the spec that training depends on.
        spec_digest: Of the whole spec.
        snapshot: The rows it was fitted on.
        features: The feature table it was fitted on.
        seed: Of all that is random.
        code_version: Of the library or image.
        rows: Labelled rows it was fitted on.
        positives: How many of them have the label 1; None for regression.
        first_event: The earliest event among them; None without rows.
        last_event: The latest one.
        metric: What selection and the gate compare; lower is better.
        selection: Why this recipe, in words.
        scores: Candidate → metric → value on the validation span.
        refused: Candidate → why it could not be fitted there.
        holdout: ``challenger``, ``pooled``, ``prior`` → metric → value on the holdout, by models
            that saw nothing of it: what the model promises.
        holdout_rows: Labelled rows of the holdout.
        threshold: From which probability the decision was yes by the spec of that time; None for
            regression. What held for a window is in its receipt.
        interval: What the spec of that time added to predictions for the ends of an interval.
        dropped: Features left out because the tenant never had a value.
        slices: Quality on parts of the holdout.
    """

    product: str
    tenant: str
    version: str = ""
    as_of: Moment
    trained_until: Moment
    recipe: str
    task: Task
    classes: tuple[str, ...] = ()
    form: Form
    weight: float
    slope: float = 1.0
    intercept: float = 0.0
    pooled: PooledPart | None = None
    weighed: str = ""
    content_digest: str = ""
    file_digest: str = ""
    training_digest: str
    spec_digest: str
    snapshot: str
    features: str
    seed: int
    code_version: str
    rows: Whole
    positives: int | None = None
    first_event: Moment | None = None
    last_event: Moment | None = None
    metric: str
    selection: str = ""
    scores: dict[str, dict[str, float]] = Field(default_factory=dict)
    refused: dict[str, str] = Field(default_factory=dict)
    holdout: dict[str, dict[str, float]] = Field(default_factory=dict)
    holdout_rows: int = 0
    threshold: float | None = None
    interval: tuple[float, float] | None = None
    dropped: tuple[str, ...] = ()
    slices: tuple[Slice, ...] = ()


class PooledCard(Record):
    """What a pooled model is; lies beside its file as ``card.json``.

    Attributes:
        product: The prediction feature.
        zone: The residency zone whose tenants it pools.
        version: ``<as_of>-<12 hex digits of content_digest>``.
        as_of: The logical time of the run that trained it.
        task: What it predicts.
        definition: Digest of what it is made by: features, label, parameters, contributors.
        content_digest: SHA-256 of the canonical content of the model and its folds.
        file_digest: SHA-256 of ``model.skops``.
        folds: Compact cut → SHA-256 of ``fold-<cut>.skops``; a fold saw only labels known by
            its cut.
        packed_digest: SHA-256 of ``packed.bin``; empty where there is none.
        not_packed: Why there is none.
        contributors: Tenant → rows that trained the model.
        fingerprints: Contributor → fingerprint of the rows it offered, before the sample was
            drawn; the record of the ingest that gave the same rows holds the same.
        denied: Tenants that allow no pooling.
        strict: Tenants left out because their rows stay in their region and the pool spans several.
        failures: Tenant → why its rows could not be had, in words.
        rows: Rows that trained it.
        seed: Of the sample and the fit.
        code_version: Of the library or image.
    """

    product: str
    zone: str
    version: str = ""
    as_of: Moment
    task: Task
    definition: str
    content_digest: str = ""
    file_digest: str = ""
    folds: dict[str, str] = Field(default_factory=dict)
    packed_digest: str = ""
    not_packed: str = ""
    contributors: dict[str, int] = Field(default_factory=dict)
    fingerprints: dict[str, str] = Field(default_factory=dict)
    denied: tuple[str, ...] = ()
    strict: tuple[str, ...] = ()
    failures: dict[str, str] = Field(default_factory=dict)
    rows: int = 0
    seed: int = 0
    code_version: str = ""


def read_card(store: ObjectStore, product: str, tenant: str, version: str) -> Card:
    """Read the card of a tenant's model.

    Raises:
        ModelFileError: There is none, or it is no card.
    """
    key = f"{layout.model_folder(product, tenant, version)}card.json"
    try:
        return Card.from_json(read_object(store, key), key)
    except ValueError as error:
        raise ModelFileError(str(error)) from None


def read_pooled_card(store: ObjectStore, product: str, zone: str, version: str) -> PooledCard:
    """Read the card of a pooled model.

    Raises:
        ModelFileError: There is none, or it is no card.
    """
    key = f"{layout.pooled_folder(product, zone, version)}card.json"
    return open_pooled_card(read_object(store, key), key)


@lru_cache(maxsize=16)  # one card serves all tenants of a worker, and it names all tenants
def open_pooled_card(content: bytes, key: str) -> PooledCard:
    """Open what `read_pooled_card` reads; one that was opened before is shared.

    Raises:
        ModelFileError: It is no card.
    """
    try:
        return PooledCard.from_json(content, key)
    except ValueError as error:
        raise ModelFileError(str(error)) from None


_READ: dict[str, bytes] = {}
"""By key; see `keep_read`."""


def keep_read(contents: Mapping[str, bytes]) -> None:
    """Let objects of pooled models serve this process and its forks without being read again.

    Args:
        contents: Key → bytes; they replace those that were kept before.
    """
    _READ.clear()
    _READ.update(contents)


def read_object(store: ObjectStore, key: str) -> bytes:
    """Read an object of a model.

    Raises:
        ModelFileError: It is missing.
    """
    if key in _READ:
        return _READ[key]
    try:
        return store.get(key).content
    except ObjectMissingError:
        msg = f"{key}: missing; train again or restore it"
        raise ModelFileError(msg) from None
