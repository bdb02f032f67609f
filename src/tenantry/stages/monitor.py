"""Judge the windows whose labels are known by now: decay, drift, an Evidently report."""

from collections.abc import Iterable
from functools import reduce

import numpy as np
import pandas as pd

from tenantry import layout
from tenantry.champions import read_champion
from tenantry.figures import TITLES
from tenantry.insights.gather import gather_insights
from tenantry.jobs import Job, Result
from tenantry.ledger import Scalar
from tenantry.monitoring.answers import with_answers
from tenantry.monitoring.evidently import ReportError, Sides, preload, render_page
from tenantry.monitoring.gather import compare_sides, gather_evidence, judge_windows, read_table
from tenantry.monitoring.judgements import IN_WORDS, Judgement, write_judgement
from tenantry.monitoring.sampling import explain_absence
from tenantry.receipts import read_receipts
from tenantry.report.insights_page import render_insights_page
from tenantry.report.tenant_facts import gather_tenant_facts
from tenantry.report.tenant_page import render_tenant_page

__all__ = ["monitor", "preload"]


def monitor(job: Job) -> Result:
    """Judge every due window of a tenant; write its pages, then judgements.

    Where the spec logs answers to single rows, judgements tell how good those were, too.

    In this order: a window that is judged is never due again, and its pages would stay away.
    A window that was not predicted (its prediction failed) is named and stays due; every other
    one is judged, whatever its rows hold.
    """
    windows = job.entry.windows("monitor")
    receipts = read_receipts(job.store, job.product, job.tenant, windows=windows, until=job.as_of)
    out_of_sample = {w: one for w, one in receipts.items() if not one.in_sample}
    table = read_table(job) if out_of_sample else pd.DataFrame()
    evidence = gather_evidence(job, table, out_of_sample)
    judgements = judge_windows(job, windows, receipts, evidence)
    absent = explain_absence(job.spec, job.fleet, judgements)
    sides = compare_sides(job, table, evidence) if evidence and not absent else None
    told = {"report": sides.note if sides else absent}
    judgements = [
        one.model_copy(update=told) if one.span in evidence else one for one in judgements
    ]
    judgements = [with_answers(job.store, job.spec, table, one, job.as_of) for one in judgements]
    note, report = _write_page(job, sides, judgements)
    page = _write_tenant_page(job, judgements, report)
    insights = _write_insights(job, table, judgements)
    keys = [write_judgement(job.store, one) for one in judgements if one.status != "not_predicted"]
    unscored = sum(one.delivery.unscored for one in evidence.values())
    scored = sum(one.receipt.rows for one in evidence.values())
    late = f"{unscored:,} rows came too late to be scored." if unscored else ""
    return Result(
        message=" ".join(part for part in (_say(judgements), late, note) if part),
        facts=_facts(judgements) | {"rows": scored, "too_late": unscored},
        keys=(*page, *insights, *report, *keys),
    )


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


def _write_insights(
    job: Job, table: pd.DataFrame, judgements: Iterable[Judgement]
) -> tuple[str, ...]:
    """Write what can be told of the tenant beside the latest judgement; return the keys."""
    judged = [one for one in judgements if one.status != "not_predicted"]
    if not judged or table.empty:
        return ()
    told = gather_insights(job.store, job.spec, table, job.as_of)
    if told is None:
        return ()
    place = (job.product, job.tenant, judged[-1].span)
    keys = (layout.insights(*place), layout.insights_page(*place))
    job.store.put(keys[0], told.to_json())
    job.store.put(keys[1], render_insights_page(told).encode())
    return keys


# --- Evidently ----------------------------------------------------------------------------------


def _write_page(
    job: Job, sides: Sides | None, judgements: Iterable[Judgement]
) -> tuple[str, tuple[str, ...]]:
    """Write the page at the latest window; return a note and its key."""
    if sides is None or sides.fault:
        return "", ()
    judged = [one for one in judgements if one.drift]
    drifted = {shift.name for one in judged for shift in one.drifted}
    try:
        past = (*judged[-1].history, judged[-1].in_short)
        page = render_page(sides, drifted, past, TITLES[job.spec.model.metric])
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
