"""The judgement of a predicted window, and how to read a tenant's judgements.

Imports no pandas: the planner and the pages read judgements, too.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Literal

from tenantry import layout
from tenantry.errors import ObjectMissingError
from tenantry.figures import Metric
from tenantry.monitoring.history import HISTORY, Judged, JudgementStatus, Reaction
from tenantry.monitoring.memory import Feed, Memory
from tenantry.records import Record
from tenantry.served import Role
from tenantry.store.adding import put_new
from tenantry.store.contract import ObjectStore
from tenantry.times import Moment, Window, WindowId

ShiftKind = Literal["data", "label", "prediction", "volume", "freshness", "late", "schema"]

OF_THE_FEED: frozenset[ShiftKind] = frozenset({"volume", "freshness", "late", "schema"})
"""Kinds that say how rows come, not what is in them: no model is trained again for them."""

IN_WORDS: dict[JudgementStatus, str] = {
    "ok": "as promised",
    "decayed": "worse than promised",
    "drifted": "drifted",
    "too_small": "too few rows to say",
    "no_labels": "no labels",
    "no_rows": "no rows",
    "no_promise": "nothing promised",
    "in_sample": "in sample",
    "not_predicted": "not predicted",
}
"""A status as people read it."""


class Quality(Record):
    """How good the predictions of a window were.

    Attributes:
        metric: What is measured; lower is better.
        realised: Its value on the window's labelled rows.
        low: Lower end of its interval.
        high: Upper end.
        promised: What the model's card promises; None when the card holds no such score.
        auc: ROC AUC; None with one class only, or for a regression.
        mean_prediction: Mean probability (or value) predicted for the labelled rows; of several
            classes the most probable one's.
        mean_label: Mean of their labels; of several classes how often the most probable was right.
        coverage: Share of the labels within the predictions' intervals; None without intervals.
        blocks: Blocks of time (days, or hours in a short window) behind the interval.
        p_value: How probable losses so much worse than promised are while the model is as good as
            promised, within the tolerance; None without a promise.
        evidence: Of decay, gathered over the windows of this model by now.
    """

    metric: Metric
    realised: float
    low: float
    high: float
    promised: float | None
    auc: float | None
    mean_prediction: float
    mean_label: float
    coverage: float | None = None
    blocks: int
    p_value: float | None = None
    evidence: float = 0.0


class Shift(Record):
    """How far one stream of a window lies from what the model learnt on.

    Attributes:
        name: A feature, `label`, `prediction`, `rows`, `freshness`, `late` or `schema`.
        kind: What it is about.
        effect: 0 to 1: the largest gap between the two distribution functions (numbers), the share
            of rows that would have to change (categories), the change of a share (missing values,
            predictions), the share of rows too few, too many or more late than usual, or the share
            of the window that is silent at its end beyond what is usual; 1 when the form changed.
            None when it cannot be judged.
        p_value: How often the tenant's own past windows would lie so far off; None when too little
            is known of them, and of the form, which changes or does not.
        evidence: Of change, gathered over the windows of this model by now.
        drifted: Whether both the effect and the evidence are large enough.
        note: Why it cannot be judged, or what stands out.
        missing: Share of missing values in the window; None for other streams than features and
            the label, and without rows.
        missing_before: The same of what the model learnt on.
    """

    name: str
    kind: ShiftKind
    effect: float | None
    p_value: float | None
    evidence: float
    drifted: bool
    note: str = ""
    missing: float | None = None
    missing_before: float | None = None


class ServedQuality(Record):
    """How good a model's logged answers to single rows of a window were.

    Attributes:
        model: The version.
        role: What it was to the tenant when it answered.
        answers: Rows that were logged; a row may have been asked for more than once.
        rows: Different rows among them that prove something: the last answer counts, and none whose
            event the model may have seen in training.
        labelled: Of them, those whose label is known.
        metric: What is measured; lower is better.
        realised: Its value on the labelled rows; None with fewer than `monitor.min_rows`.
        mean_prediction: Mean probability (or value) answered for the labelled rows; None without.
        mean_label: Mean of their labels; None without.
    """

    model: str
    role: Role
    answers: int
    rows: int
    labelled: int
    metric: Metric
    realised: float | None
    mean_prediction: float | None
    mean_label: float | None


class Judgement(Record):
    """What monitoring says of one predicted window of a tenant.

    Attributes:
        product: The product.
        tenant: The tenant.
        window: The window's id.
        as_of: When it was judged (logical time).
        run: The run that judged it.
        model: Version of the model that predicted it; empty when nobody did.
        receipt: Key of the receipt that was judged; empty when there is none.
        snapshot: The snapshot that its labels were read from.
        features: Digest of the feature table that they were read from.
        status: The outcome in a word.
        sentence: The outcome in a sentence.
        action: What the planner does about it, by the spec's policy.
        rows: Rows predicted.
        labelled: Rows whose label is known.
        quality: Of the predictions; None when it cannot be measured.
        drift: Stream by stream: features in the spec's order, label, predictions, volume,
            freshness, late rows, form; empty when nothing was predicted.
        feed: How its rows came; None when nothing was predicted.
        served: How good logged answers to single rows of the window were, by role and version;
            nothing follows from them.
        expected: The quality that the predictions promise by themselves, were their probabilities
            true; needs no label. None for values, or without predictions.
        memory: What the next window's judgement starts from.
        report: What the Evidently report of the window lacks, or why there is none; empty when
            nothing.
        history: The windows judged before, by time: the last of them, `HISTORY` at most.
    """

    product: str
    tenant: str
    window: WindowId
    as_of: Moment
    run: str = ""
    model: str = ""
    receipt: str = ""
    snapshot: str = ""
    features: str = ""
    status: JudgementStatus
    sentence: str
    action: Reaction = "none"
    rows: int = 0
    labelled: int = 0
    quality: Quality | None = None
    expected: float | None = None
    drift: tuple[Shift, ...] = ()
    feed: Feed | None = None
    served: tuple[ServedQuality, ...] = ()
    memory: Memory = Memory()
    report: str = ""
    history: tuple[Judged, ...] = ()

    @property
    def span(self) -> Window:
        """The window."""
        return Window.parse(self.window)

    @property
    def drifted(self) -> tuple[Shift, ...]:
        """The streams that drifted, the largest effect first."""
        drifted = (one for one in self.drift if one.drifted)
        return tuple(sorted(drifted, key=lambda one: (-(one.effect or 0), one.name)))

    @property
    def in_short(self) -> Judged:
        """The judgement as the history of later ones keeps it."""
        quality = self.quality
        return Judged(
            window=self.window,
            status=self.status,
            model=self.model,
            action=self.action,
            rows=self.rows,
            labelled=self.labelled,
            realised=quality.realised if quality else None,
            low=quality.low if quality else None,
            high=quality.high if quality else None,
            promised=quality.promised if quality else None,
            drifted=tuple(one.name for one in self.drifted),
        )

    def after(self, before: "Judgement | None") -> "Judgement":
        """Return it with the history that the judgement of the window before leads to."""
        if before is None:
            return self
        history = (*before.history, before.in_short)[-HISTORY:]
        return self.model_copy(update={"history": history})


def write_judgement(store: ObjectStore, judgement: Judgement) -> str:
    """Write a judgement unless the window has one, which then stands; return its key.

    Raises:
        RecordError: What stands is no judgement.
    """
    key = layout.judgement(judgement.product, judgement.tenant, judgement.span)
    if not put_new(store, key, judgement.to_json()):
        _read(store, key)
    return key


def read_judgements(
    store: ObjectStore, product: str, tenant: str, since: datetime | None = None
) -> tuple[Judgement, ...]:
    """Read a tenant's judgements, by window.

    Args:
        store: The store.
        product: The product.
        tenant: The tenant.
        since: Only those made later than this (logical time); all when None.
    """
    keys = [key for _, key in sorted(_listed(store, product, tenant))]
    judgements = (_read(store, key) for key in keys)
    return tuple(one for one in judgements if since is None or one.as_of > since)


def last_judgement(
    store: ObjectStore,
    product: str,
    tenant: str,
    windows: Iterable[Window],
    *,
    until: datetime | None = None,
) -> Judgement | None:
    """Read the judgement of a tenant's latest judged window; None when there is none.

    Args:
        store: The store.
        product: The product.
        tenant: The tenant.
        windows: The windows that were judged.
        until: Only judgements made at this moment (logical time) or before; all when None.
    """
    for window in sorted(windows, reverse=True):
        judgement = read_judgement(store, product, tenant, window)
        if judgement and (until is None or judgement.as_of <= until):
            return judgement
    return None


def read_judgement(
    store: ObjectStore, product: str, tenant: str, window: Window
) -> Judgement | None:
    """Read the judgement of one window; None when it has none."""
    try:
        return _read(store, layout.judgement(product, tenant, window))
    except ObjectMissingError:
        return None


def judged_windows(store: ObjectStore, product: str, tenant: str) -> list[Window]:
    """List the windows of a tenant that were judged, by time."""
    return sorted(window for window, _ in _listed(store, product, tenant))


def _listed(store: ObjectStore, product: str, tenant: str) -> Iterator[tuple[Window, str]]:
    for info in store.list(layout.monitoring_folder(product, tenant)):
        *_, name, file = info.key.split("/")
        if file == "judgement.json":
            with suppress(ValueError):  # a window that is none
                yield Window.parse(name), info.key


def _read(store: ObjectStore, key: str) -> Judgement:
    return Judgement.from_json(store.get(key).content, key)
