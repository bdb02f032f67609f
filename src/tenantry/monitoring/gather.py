"""A tenant's windows as evidence: rows, predictions, promises; and their judgements in turn."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from tenantry import layout
from tenantry.champions import Champion, read_champion
from tenantry.columns import EVENT_TIME, KNOWN_AT, LABEL
from tenantry.errors import ModelFileError, TenantryError
from tenantry.evaluations import with_predictions
from tenantry.features.plain import count_words
from tenantry.features.tables import read_features
from tenantry.jobs import Job
from tenantry.manifests import read_manifest
from tenantry.models.card import read_card
from tenantry.monitoring.drift import Reference, learn_reference
from tenantry.monitoring.evidently import Sides, prepare_sides
from tenantry.monitoring.feed import Delivery
from tenantry.monitoring.judge import judge_unseen, judge_window
from tenantry.monitoring.judgements import Judgement, judged_windows, last_judgement
from tenantry.monitoring.measure import Evidence
from tenantry.monitoring.memory import Arrival, Memory
from tenantry.monitoring.streams import PREDICTION
from tenantry.origins import read_origin
from tenantry.parquet import read_columns
from tenantry.predictions import HIGH, LOW, PROBABILITIES, PROBABILITY, Receipt
from tenantry.specs.features import texts_of
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.times import Window


def read_table(job: Job) -> pd.DataFrame:
    """Read the feature table that this run built.

    Raises:
        TenantryError: It built none.
    """
    sha = job.entry.fact("build_features", "features")
    if not isinstance(sha, str):
        msg = f"{job.tenant}: there is no feature table; run build_features first"
        raise TenantryError(msg)
    return with_words_counted(read_features(job.store, job.product, job.tenant, sha), job.spec)


def with_words_counted(table: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """Return a feature table with texts as their numbers of words, which is what is watched."""
    return table.assign(**{name: count_words(table[name]) for name in texts_of(spec.features)})


def _receive(job: Job, table: pd.DataFrame, receipt: Receipt, form: Delivery) -> Delivery:
    """Return how the rows of a window came; `form` is that of all rows."""
    when, window = table[EVENT_TIME], receipt.span
    inside = (when >= window.start) & (when < window.end) & (table[KNOWN_AT] <= job.as_of)
    unscored = max(int(inside.sum()) - receipt.rows, 0)
    arrival = Arrival(rows=receipt.rows + unscored, late=receipt.late + unscored)
    return replace(form, arrival=arrival, unscored=unscored)


def _read_form(job: Job) -> Delivery:
    """Return the types that the rows came as, and what was set aside for which reason."""
    ingested = job.entry.outcome("ingest")
    snapshot = ingested.facts.get("snapshot") if ingested else None
    if ingested is None or not isinstance(snapshot, str):
        return Delivery()
    folder = layout.origins_folder(job.product, job.tenant, snapshot)
    keys = [key for key in ingested.keys if key.startswith(folder)]
    reads = [read for key in keys for read in read_origin(job.store, key).reads]
    return Delivery(
        kinds={f"{one.source}.{name}": kind for one in reads for name, kind in one.types.items()},
        faults=read_manifest(job.store, job.product, job.tenant, snapshot).quality.reasons,
    )


def gather_evidence(
    job: Job, table: pd.DataFrame, receipts: Mapping[Window, Receipt]
) -> dict[Window, Evidence]:
    """Gather what windows are judged by.

    Args:
        job: The tenant; what a run's ingest recorded is used where it is there.
        table: Its feature table, with texts as numbers of words.
        receipts: The predictions to judge, out of sample.
    """
    references: dict[str, Reference] = {}
    champion = _champion(job) if receipts else None
    form = _read_form(job) if receipts else Delivery()
    for receipt in receipts.values():
        if receipt.model not in references:
            learnt = learnt_rows(job, table, receipt)
            references[receipt.model] = learn_reference(
                learnt,
                (*job.spec.features, LABEL),
                until=receipt.trained_until,
                length=job.spec.predict.window,
                task=job.spec.label.task,
            )
    return {
        window: Evidence(
            receipt=receipt,
            rows=_rows(job, table, receipt),
            reference=references[receipt.model],
            promised=_promise(job, receipt.model),
            overtaken=_overtaken(champion, receipt.model),
            delivery=_receive(job, table, receipt, form),
        )
        for window, receipt in receipts.items()
    }


def learnt_rows(job: Job, table: pd.DataFrame, receipt: Receipt) -> pd.DataFrame:
    """Return the rows of the span that the model of a receipt was trained on."""
    until = receipt.trained_until
    when = table[EVENT_TIME]
    return table[(when < until) & (when >= until - job.spec.train.history)]


def _rows(job: Job, table: pd.DataFrame, receipt: Receipt) -> pd.DataFrame:
    """Return the predicted rows of a window with their labels and features as of now."""
    key = list(job.spec.key)
    parts = [read_predictions(job.store, job.spec, file.key) for file in receipt.files]
    kept = table[[*key, LABEL, *job.spec.features]]
    if not parts:
        return table.iloc[:0][[EVENT_TIME]].join(kept).assign(**{PREDICTION: np.zeros(0)})
    return pd.concat(parts, ignore_index=True).merge(kept, on=key, how="left")


def read_predictions(store: ObjectStore, spec: Spec, place: str, *more: str) -> pd.DataFrame:
    """Read a file of predictions: the rows' keys and event times, and `prediction`.

    Args:
        store: The store.
        spec: The tenant's spec.
        place: The file's key.
        more: Other columns that are wanted.
    """
    columns = [*spec.key, EVENT_TIME, PROBABILITY, PROBABILITIES, LOW, HIGH, *more]
    frame = read_columns(store.get(place).content, columns)
    frame = frame.rename(columns={PROBABILITY: PREDICTION})
    if PROBABILITIES not in frame:
        return frame
    told = pd.DataFrame(frame.pop(PROBABILITIES).tolist()).reindex(columns=[*spec.classes])
    return with_predictions(frame, PREDICTION, told.fillna(0.0).to_numpy())


def _champion(job: Job) -> Champion | None:
    champion = read_champion(job.store, job.product, job.tenant)
    return champion.until(job.as_of) if champion else None


def _overtaken(champion: Champion | None, model: str) -> str:
    """Say why nothing follows from how good a model was; empty while it reigns."""
    if champion is None or champion.current.version == model:
        return ""
    if model in champion.revoked_versions:
        return "The model was rolled back since."
    return "Another model reigns by now."


def _promise(job: Job, version: str) -> float | None:
    """Return what the model's card promises in the spec's metric; None when it says nothing."""
    try:
        card = read_card(job.store, job.product, job.tenant, version)
    except ModelFileError:
        return None
    metric = job.spec.model.metric
    on_holdout = card.holdout.get("challenger", {}).get(metric)
    return on_holdout if on_holdout is not None else card.scores.get(card.recipe, {}).get(metric)


def judge_windows(
    job: Job,
    windows: Sequence[Window],
    receipts: Mapping[Window, Receipt],
    evidence: Mapping[Window, Evidence],
) -> list[Judgement]:
    """Judge windows by time: each starts from what the one before it remembers.

    That is one of these windows or one that was judged earlier, whichever is later.
    """
    judged = judged_windows(job.store, job.product, job.tenant) if windows else []
    judgements: list[Judgement] = []
    before: Judgement | None = None
    for window in sorted(windows):
        earlier = [one for one in judged if one < window and (not before or one > before.span)]
        before = (
            last_judgement(job.store, job.product, job.tenant, earlier, until=job.as_of) or before
        )
        memory = before.memory if before else Memory()
        judgement = _judge(job, window, receipts.get(window), evidence.get(window), memory)
        judgement = judgement.after(before)
        judgements.append(judgement)
        before = judgement if judgement.status != "not_predicted" else before
    return judgements


def _judge(
    job: Job, window: Window, receipt: Receipt | None, evidence: Evidence | None, memory: Memory
) -> Judgement:
    judgement = (
        judge_window(job.spec, job.as_of, evidence, memory)
        if evidence
        else judge_unseen(job.spec, job.as_of, window, receipt, memory)
    )
    origin = {
        "run": job.run,
        "receipt": receipt.key if receipt else "",
        "snapshot": str(job.entry.fact("ingest", "snapshot") or ""),
        "features": str(job.entry.fact("build_features", "features") or ""),
    }
    return judgement.model_copy(update=origin)


def compare_sides(job: Job, table: pd.DataFrame, evidence: Mapping[Window, Evidence]) -> Sides:
    """Prepare Evidently's report over judged windows together, at least one."""
    latest = evidence[max(evidence)]
    current = pd.concat([one.rows for one in evidence.values()], ignore_index=True)
    columns = [*job.spec.features, LABEL]
    learnt = learnt_rows(job, table, latest.receipt)
    return prepare_sides(learnt, current, columns, job.spec.monitor.min_rows)
