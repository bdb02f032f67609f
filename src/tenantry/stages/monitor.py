"""Judge the windows whose labels are known by now: decay, drift, an Evidently report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
import pandas as pd

from tenantry import layout
from tenantry.champions import Champion, read_champion
from tenantry.columns import EVENT_TIME, KNOWN_AT, LABEL
from tenantry.errors import ModelFileError, TenantryError
from tenantry.features.plain import count_words
from tenantry.features.tables import read_features
from tenantry.jobs import Job, Result
from tenantry.ledger import Scalar
from tenantry.manifests import read_manifest
from tenantry.models.card import read_card
from tenantry.monitoring.drift import Reference, learn_reference
from tenantry.monitoring.evidently import ReportError, Sides, preload, prepare_sides, render_page
from tenantry.monitoring.feed import Delivery
from tenantry.monitoring.judge import judge_unseen, judge_window
from tenantry.monitoring.judgements import IN_WORDS, Judgement, judgement_before, write_judgement
from tenantry.monitoring.measure import Evidence
from tenantry.monitoring.memory import Arrival, Memory
from tenantry.monitoring.streams import HIGH, LOW, PREDICTION
from tenantry.origins import read_origin
from tenantry.parquet import read_columns
from tenantry.predictions import Receipt, read_receipts
from tenantry.report.tenant_facts import gather_tenant_facts
from tenantry.report.tenant_page import render_tenant_page
from tenantry.scoring import PROBABILITIES, PROBABILITY
from tenantry.specs.features import texts_of
from tenantry.times import Window
from tenantry.training.evaluate import with_predictions

__all__ = ["monitor", "preload"]


def monitor(job: Job) -> Result:
    """Judge every due window of a tenant; write its pages, then judgements.

    In this order: a window that is judged is never due again, and its pages would stay away.
    A window that was not predicted (its prediction failed) is named and stays due; every other
    one is judged, whatever its rows hold.
    """
    windows = job.entry.windows("monitor")
    receipts = read_receipts(job.store, job.product, job.tenant, windows=windows, until=job.as_of)
    out_of_sample = {w: one for w, one in receipts.items() if not one.in_sample}
    table = _table(job) if out_of_sample else pd.DataFrame()
    evidence = _gather(job, table, out_of_sample)
    sides = _sides(job, table, evidence)
    judgements = _judge_all(job, windows, receipts, evidence, sides)
    note, report = _write_page(job, sides, judgements)
    page = _write_tenant_page(job, judgements, report)
    keys = [write_judgement(job.store, one) for one in judgements if one.status != "not_predicted"]
    unscored = sum(one.delivery.unscored for one in evidence.values())
    late = f"{unscored:,} rows came too late to be scored." if unscored else ""
    return Result(
        message=" ".join(part for part in (_say(judgements), late, note) if part),
        facts=_facts(judgements) | {"too_late": unscored},
        keys=(*page, *report, *keys),
    )


def _table(job: Job) -> pd.DataFrame:
    sha = job.entry.fact("build_features", "features")
    if not isinstance(sha, str):
        msg = f"{job.tenant}: there is no feature table; run build_features first"
        raise TenantryError(msg)
    table = read_features(job.store, job.product, job.tenant, sha)
    return table.assign(**{name: count_words(table[name]) for name in texts_of(job.spec.features)})


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


def _gather(
    job: Job, table: pd.DataFrame, receipts: Mapping[Window, Receipt]
) -> dict[Window, Evidence]:
    references: dict[str, Reference] = {}
    champion = _champion(job) if receipts else None
    form = _read_form(job) if receipts else Delivery()
    for receipt in receipts.values():
        if receipt.model not in references:
            learnt = _learnt(job, table, receipt)
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


def _learnt(job: Job, table: pd.DataFrame, receipt: Receipt) -> pd.DataFrame:
    """Return the rows of the span that the model of a receipt was trained on."""
    until = receipt.trained_until
    when = table[EVENT_TIME]
    return table[(when < until) & (when >= until - job.spec.train.history)]


def _rows(job: Job, table: pd.DataFrame, receipt: Receipt) -> pd.DataFrame:
    """Return the predicted rows of a window with their labels and features as of now."""
    key = list(job.spec.key)
    parts = [_predictions(job, file.key, key) for file in receipt.files]
    kept = table[[*key, LABEL, *job.spec.features]]
    if not parts:
        return table.iloc[:0][[EVENT_TIME]].join(kept).assign(**{PREDICTION: np.zeros(0)})
    return pd.concat(parts, ignore_index=True).merge(kept, on=key, how="left")


def _predictions(job: Job, place: str, key: list[str]) -> pd.DataFrame:
    columns = [*key, EVENT_TIME, PROBABILITY, PROBABILITIES, LOW, HIGH]
    frame = read_columns(job.store.get(place).content, columns)
    frame = frame.rename(columns={PROBABILITY: PREDICTION})
    if PROBABILITIES not in frame:
        return frame
    told = pd.DataFrame(frame.pop(PROBABILITIES).tolist()).reindex(columns=[*job.spec.classes])
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


def _judge_all(
    job: Job,
    windows: Sequence[Window],
    receipts: Mapping[Window, Receipt],
    evidence: Mapping[Window, Evidence],
    sides: Sides | None,
) -> list[Judgement]:
    """Judge windows by time: each starts from what the one before it remembers."""
    if not windows:
        return []
    first = min(windows)
    before = judgement_before(job.store, job.product, job.tenant, first, until=job.as_of)
    judgements = []
    for window in sorted(windows):
        memory = before.memory if before else Memory()
        judgement = _judge(job, window, receipts.get(window), evidence.get(window), memory)
        judgement = judgement.after(before)
        if window in evidence and sides:
            judgement = judgement.model_copy(update={"report": sides.note})
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


def _write_tenant_page(
    job: Job, judgements: Iterable[Judgement], report: tuple[str, ...]
) -> tuple[str, ...]:
    """Write the page of how the tenant fares at the latest window; return its key.

    Args:
        job: The tenant.
        judgements: By time.
        report: The key of the Evidently report, if there is one.
    """
    judged = [one for one in judgements if one.status != "not_predicted"]
    if not judged:
        return ()
    champion = read_champion(job.store, job.product, job.tenant)
    has_report = layout.drift_report(job.product, job.tenant, judged[-1].span) in report
    facts = gather_tenant_facts(job.store, job.spec, judged, champion, has_report=has_report)
    key = layout.monitoring_page(job.product, job.tenant, judged[-1].span)
    job.store.put(key, render_tenant_page(facts).encode())
    return (key,)


# --- Evidently ----------------------------------------------------------------------------------


def _sides(job: Job, table: pd.DataFrame, evidence: Mapping[Window, Evidence]) -> Sides | None:
    """Prepare the report over the judged windows together; None when none is due."""
    if not evidence or not job.spec.monitor.report:
        return None
    latest = evidence[max(evidence)]
    current = pd.concat([one.rows for one in evidence.values()], ignore_index=True)
    columns = [*job.spec.features, LABEL]
    learnt = _learnt(job, table, latest.receipt)
    return prepare_sides(learnt, current, columns, job.spec.monitor.min_rows)


def _write_page(
    job: Job, sides: Sides | None, judgements: Iterable[Judgement]
) -> tuple[str, tuple[str, ...]]:
    """Write the page at the latest window; return a note and its key."""
    if sides is None or sides.fault:
        return "", ()
    judged = [one for one in judgements if one.drift]
    drifted = {shift.name for one in judged for shift in one.drifted}
    try:
        page = render_page(sides, drifted)
    except ReportError as error:
        return f"There is {error}.", ()
    key = layout.drift_report(job.product, job.tenant, judged[-1].span)
    job.store.put(key, page)
    return "", (key,)


# --- words and figures --------------------------------------------------------------------------


def _say(judgements: Iterable[Judgement]) -> str:
    counts = reduce(_count, judgements, dict[str, int]())
    words = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
    total = sum(counts.values())
    return f"{total} {'window' if total == 1 else 'windows'}: {words}."


def _count(counts: dict[str, int], judgement: Judgement) -> dict[str, int]:
    name = IN_WORDS[judgement.status]
    return counts | {name: counts.get(name, 0) + 1}


def _facts(judgements: list[Judgement]) -> dict[str, Scalar]:
    measured = [one for one in judgements if one.quality]
    rows = [one.labelled for one in measured]
    realised = [one.quality.realised for one in measured if one.quality]
    promised = [one.quality.promised for one in measured if one.quality]
    return {
        "judged": sum(one.status != "not_predicted" for one in judgements),
        "decayed": sum(one.status == "decayed" for one in judgements),
        "drifted": sum(one.status == "drifted" for one in judgements),
        "realised": float(np.average(realised, weights=rows)) if realised else None,
        "promised": promised[-1] if promised else None,
    }
