"""Predict every due window by the model that reigned when it began, with reasons.

A window that began before the tenant's first model is predicted by that first model, in sample:
its rows may have been trained on, so it is never evidence.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from tenantry.champions import Reign, read_champion
from tenantry.columns import EVENT_TIME, KNOWN_AT
from tenantry.digests import sha256
from tenantry.errors import ScoringError
from tenantry.explain import preload
from tenantry.features.tables import read_features
from tenantry.jobs import Job, Result
from tenantry.ledger import Scalar
from tenantry.models.files import load_model
from tenantry.parquet import to_parquet
from tenantry.predictions import (
    PredictionFile,
    Receipt,
    read_receipts,
    write_receipt,
)
from tenantry.scoring import DECISION, PROBABILITY, REASONS, score_rows
from tenantry.times import Window

__all__ = ["predict", "preload"]


@dataclass(frozen=True)
class _Task:
    """A window to predict.

    Attributes:
        window: Which.
        reign: Whose model predicts it.
        stand_in: Whose model does when the spec has dropped what that one needs.
        rows: Its rows of the feature table.
        earlier: Its receipt in force, or None.
        late: How many rows have arrived since that receipt, when it is by the same model.
    """

    window: Window
    reign: Reign
    stand_in: Reign
    rows: pd.DataFrame
    earlier: Receipt | None = None
    late: int = 0

    @property
    def is_repeated(self) -> bool:
        """Whether the same model has predicted the window before."""
        return self.earlier is not None and self.earlier.model == self.reign.version

    @property
    def in_sample(self) -> bool:
        """Whether the window began before the model reigned."""
        return self.window.start < self.reign.unseen_from


def predict(job: Job) -> Result:
    """Predict the due windows of a tenant; a window without rows gets an empty receipt.

    A window that its model has predicted before is predicted again when rows have arrived since
    and it ended at most `predict.late_rows` ago; rows later than that are only counted.

    Raises:
        ModelFileError: A model's file is missing, or is not what the champion's pointer says.
        ScoringError: No model that reigns can score these rows.
    """
    tasks = _tasks(job)
    if not tasks:
        windows = len(job.entry.windows("predict"))
        message = f"no model reigns yet; {_count(windows, 'window')} stay open" if windows else ""
        return Result(message, status="fell_back" if windows else "done", facts=_facts([], 0))
    is_open = {task.window: _is_open(task, job) for task in tasks}
    receipts = [
        *_predict([task for task in tasks if is_open[task.window]], job),
        *_confirm(tasks, job),
    ]
    too_late = sum(task.late for task in tasks if not is_open[task.window])
    receipts.sort(key=lambda receipt: receipt.window)
    keys = tuple(write_receipt(job.store, receipt) for receipt in receipts)
    return Result(_say(receipts, too_late), facts=_facts(receipts, too_late), keys=keys)


def _tasks(job: Job) -> list[_Task]:
    windows = job.entry.windows("predict")
    champion = read_champion(job.store, job.product, job.tenant)
    known = champion.until(job.as_of) if champion else None
    if not windows or known is None:
        return []
    table = _table(job)
    receipts = read_receipts(job.store, job.product, job.tenant, windows=windows, until=job.as_of)
    tasks = []
    for window in windows:
        when = table[EVENT_TIME]
        rows = table[(when >= window.start) & (when < window.end)]
        reign = known.at(window.start) or known.earliest
        task = _Task(window, reign, known.current, rows, receipts.get(window))
        tasks.append(_with_late_rows(task))
    return tasks


def _table(job: Job) -> pd.DataFrame:
    features = str(job.entry.fact("build_features", "features"))
    table = read_features(job.store, job.product, job.tenant, features)
    return table[table[KNOWN_AT] <= job.as_of]


def _with_late_rows(task: _Task) -> _Task:
    if task.earlier is None or not task.is_repeated:
        return task
    return replace(task, late=max(len(task.rows) - task.earlier.rows, 0))


def _is_open(task: _Task, job: Job) -> bool:
    """Return whether a window is still to be predicted by this model."""
    if not task.is_repeated:
        return True
    return task.late > 0 and job.as_of <= task.window.end + job.spec.predict.late_rows


def _confirm(tasks: Iterable[_Task], job: Job) -> Iterator[Receipt]:
    """Receipt windows again that were looked at in a newer snapshot to which no row was added."""
    origin = _origin(job)
    for task in tasks:
        earlier = task.earlier if task.is_repeated and not task.late else None
        if earlier is not None and earlier.snapshot != origin["snapshot"]:
            yield earlier.model_copy(update=origin | {"late": 0})


def _predict(tasks: Iterable[_Task], job: Job) -> Iterator[Receipt]:
    """Predict windows model by model, so that each is loaded and its trees are prepared once."""
    by_model: dict[str, list[_Task]] = {}
    for task in tasks:
        by_model.setdefault(task.reign.version, []).append(task)
    for same in by_model.values():
        yield from _predict_by_one_model(same, job)


def _predict_by_one_model(tasks: Sequence[_Task], job: Job) -> Iterator[Receipt]:
    reign = tasks[0].reign
    model, _ = load_model(
        job.store, job.product, job.tenant, reign.version, file_digest=reign.digest
    )
    rows = pd.concat([task.rows for task in tasks])
    try:
        scored = score_rows(model, rows, job.spec)
    except ScoringError:
        if all(task.stand_in == reign for task in tasks):
            raise
        yield from _predict_by_one_model([replace(one, reign=one.stand_in) for one in tasks], job)
        return
    for task in tasks:
        yield _write(task, scored.loc[task.rows.index], job)


def _write(task: _Task, scored: pd.DataFrame, job: Job) -> Receipt:
    """Write a window's predictions and return the receipt that will commit them."""
    is_classification = job.spec.label.task == "classification"
    receipt = Receipt(
        product=job.product,
        tenant=job.tenant,
        window=task.window.id,
        model=task.reign.version,
        model_digest=task.reign.digest,
        trained_until=task.reign.trained_until,
        **_origin(job),
        rows=len(scored),
        late=task.late,
        decided=int(scored[DECISION].sum()),
        threshold=job.spec.predict.threshold if is_classification else None,
        mean_probability=float(scored[PROBABILITY].mean()) if len(scored) else None,
        explained=int(scored[REASONS].notna().sum()),
        in_sample=task.in_sample,
    )
    if scored.empty:
        return receipt
    content = to_parquet(scored)
    key = f"{receipt.folder}part-0.parquet"
    job.store.put(key, content)
    file = PredictionFile(key=key, sha256=sha256(content), rows=len(scored))
    return receipt.model_copy(update={"files": (file,)})


def _origin(job: Job) -> dict[str, object]:
    return {
        "snapshot": str(job.entry.fact("ingest", "snapshot")),
        "features": str(job.entry.fact("build_features", "features")),
        "as_of": job.as_of,
        "run": job.run,
    }


# --- words and figures ----------------------------------------------------------------------------


def _facts(receipts: Sequence[Receipt], too_late: int) -> dict[str, Scalar]:
    return {
        "windows": len(receipts),
        "rows": sum(receipt.rows for receipt in receipts),
        "decided": sum(receipt.decided for receipt in receipts),
        "explained": sum(receipt.explained for receipt in receipts),
        "in_sample": sum(receipt.in_sample for receipt in receipts),
        "late": sum(receipt.late for receipt in receipts),
        "too_late": too_late,
    }


def _say(receipts: Sequence[Receipt], too_late: int) -> str:
    facts = _facts(receipts, too_late)
    parts = [
        f"{_count(len(receipts), 'window')}, {facts['rows']:,} rows, {facts['decided']:,} decided"
    ]
    if facts["in_sample"]:
        parts.append(f"{_count(int(facts['in_sample'] or 0), 'window')} in sample")
    if facts["late"]:
        parts.append(f"{facts['late']:,} rows had arrived late")
    if too_late:
        parts.append(f"{too_late:,} rows arrived too late to be scored")
    return "; ".join(parts)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
