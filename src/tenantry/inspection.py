"""Look at one window of a tenant on demand: its judgement, and Evidently's page; writes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from tenantry.errors import Fault, ObjectMissingError, RegistryError
from tenantry.features.recipe import build_features, table_features
from tenantry.features.tables import read_features
from tenantry.figures import TITLES
from tenantry.jobs import Job
from tenantry.ledger import Entry
from tenantry.monitoring.evidently import ReportError, render_page
from tenantry.monitoring.gather import (
    compare_sides,
    gather_evidence,
    judge_windows,
    with_words_counted,
)
from tenantry.monitoring.judgements import Judgement, read_judgement
from tenantry.monitoring.measure import Evidence
from tenantry.predictions import Receipt
from tenantry.receipts import read_receipts
from tenantry.snapshots import read_snapshot
from tenantry.sources.connections import Connections
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore
from tenantry.times import Window, parse_moment


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes:
        judgement: Of the window: as stored, or as it would be judged now.
        is_stored: Whether a run judged it.
        page: Evidently's page; empty when it was not asked for, or cannot be made.
        note: What the page lacks, or why there is none; empty when nothing.
    """

    judgement: Judgement
    is_stored: bool
    page: bytes = b""
    note: str = ""


def inspect_window(
    store: ObjectStore, spec: Spec, window: str, as_of: datetime, *, with_page: bool
) -> Inspection:
    """Read the judgement of a window, or judge it now; make Evidently's page if asked to.

    The rows are those that the window was judged on. Where retention has removed their feature
    table it is built again from the snapshot.

    Args:
        store: The store.
        spec: The tenant's spec.
        window: Its id, or the day or time it begins; the latest judged one when empty, or the
            latest predicted one where none was judged.
        as_of: When a window that was not judged is judged (logical time).
        with_page: Whether to make the page.

    Raises:
        RegistryError: There is no such window, or nothing was predicted at all.
        ObjectMissingError: The rows themselves were removed.
    """
    receipts = read_receipts(store, spec.product, spec.tenant, until=as_of)
    found = _find(store, spec, receipts, window)
    judgement = read_judgement(store, spec.product, spec.tenant, found)
    if judgement and not with_page:
        return Inspection(judgement, is_stored=True)
    receipt = receipts[found]
    job = Job(
        "", as_of, spec, Entry(tenant=spec.tenant, due=()), store, Connections(connections={})
    )
    table = with_words_counted(_read_table(job, judgement, receipts), spec)
    seen = {} if receipt.in_sample else {found: receipt}
    evidence = gather_evidence(job, table, seen)
    judged = judgement or judge_windows(job, [found], {found: receipt}, evidence)[0]
    page, note = _render(job, table, evidence, judged) if with_page else (b"", "")
    return Inspection(judged, judgement is not None, page, note)


def _render(
    job: Job, table: pd.DataFrame, evidence: Mapping[Window, Evidence], judged: Judgement
) -> tuple[bytes, str]:
    """Return Evidently's page, empty if it cannot be made, and what it lacks or why."""
    if not evidence:
        return b"", "no Evidently report: the model had seen these days in training"
    sides = compare_sides(job, table, evidence)
    if sides.fault:
        return b"", sides.note
    drifted = {one.name for one in judged.drifted}
    past = (*judged.history, judged.in_short)
    try:
        return render_page(sides, drifted, past, TITLES[job.spec.model.metric]), sides.note
    except ReportError as error:
        return b"", str(error)


def _find(
    store: ObjectStore, spec: Spec, receipts: Mapping[Window, Receipt], wanted: str
) -> Window:
    place = f"{spec.product}/{spec.tenant}"
    if not receipts:
        fault = Fault(place, "nothing was predicted so far", f"see tenantry plan {spec.product}")
        raise RegistryError([fault])
    if wanted:
        for window in receipts:
            if wanted == window.id or (not is_id(wanted) and parse_moment(wanted) == window.start):
                return window
        last = max(receipts)
        fault = Fault(place, f"no window {wanted!r} was predicted", f"the last one is {last.id}")
        raise RegistryError([fault])
    judged = (one for one in sorted(receipts, reverse=True) if _is_judged(store, spec, one))
    return next(judged, max(receipts))


def is_id(text: str) -> bool:
    """Whether a text has the form of a window's id."""
    try:
        Window.parse(text)
    except ValueError:
        return False
    return True


def _is_judged(store: ObjectStore, spec: Spec, window: Window) -> bool:
    return read_judgement(store, spec.product, spec.tenant, window) is not None


def _read_table(
    job: Job, judgement: Judgement | None, receipts: Mapping[Window, Receipt]
) -> pd.DataFrame:
    """Read the feature table that a window was judged on, or else the newest; build it if gone."""
    newest = max(receipts.values(), key=lambda one: one.as_of)
    features = (judgement and judgement.features) or newest.features
    snapshot = (judgement and judgement.snapshot) or newest.snapshot
    try:
        return read_features(job.store, job.product, job.tenant, features)
    except ObjectMissingError:
        rows = read_snapshot(job.store, job.product, job.tenant, snapshot)
        return build_features(rows, table_features(job.spec), job.spec)
