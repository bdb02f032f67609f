"""Predict every due window by the model that reigned when it began, with reasons.

A backfill may ask for today's champion instead. Models that are packed are read without
scikit-learn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tenantry.assignments import Assignment, assign
from tenantry.champions import Reign
from tenantry.errors import ScoringError
from tenantry.features.recipe import table_features
from tenantry.jobs import Job, Result
from tenantry.ledger import Scalar
from tenantry.packed.load import load_packed
from tenantry.packed.model import PackedModel
from tenantry.parquet import to_parquet
from tenantry.predictions import PROBABILITY, REASONS, Receipt
from tenantry.receipts import write_look, write_predictions, write_receipt
from tenantry.rules import Rules, read_rules
from tenantry.scoring import is_decided, score_rows
from tenantry.serving.announce import publish
from tenantry.specs.features import texts_of
from tenantry.specs.model import Spec
from tenantry.text import counted

if TYPE_CHECKING:
    from tenantry.models.fitted import FittedModel

_AT_ONCE, _ROWS_AT_ONCE = 64, 50_000
"""Windows scored together, and from how many rows on no further one is: bounds the memory of a long
backfill, and what a killed run loses."""


def preload(specs: Iterable[Spec]) -> None:
    """Import scikit-learn once before workers are forked, where models are surely not packed."""
    if any(spec.classes or texts_of(table_features(spec)) for spec in specs):
        import_module("tenantry.models.files")


def predict(job: Job) -> Result:
    """Predict the due windows of a tenant; a window without rows gets an empty receipt.

    A window that its model has predicted before is predicted again when rows have arrived since and
    in time (`predict.late_rows`). Where none have, it is recorded that they were looked for, so
    that they are not again as of the same moment. Where the tenant is served, it leaves the record
    by which its champion answers single rows.

    Raises:
        ModelFileError: A model's file is missing, or is not what the champion's pointer says.
        ScoringError: No model that reigns can score these rows.
    """
    assigned, left_open = assign(job)
    receipts: list[Receipt] = []
    committed = 0
    for receipt in _predict(assigned, job):  # each is committed at once: a killed run loses little
        committed += write_receipt(job.store, receipt)
        receipts.append(receipt)
    keys = [receipt.key for receipt in receipts]
    if any(one.is_confirmed for one in assigned):
        keys.append(write_look(job.store, job.product, job.tenant, job.as_of))
    too_late = sum(one.late for one in assigned if not one.is_open)
    published = publish(job)
    said = [_say(receipts, too_late) if assigned else "", left_open, published.message]
    return Result(
        "; ".join(words for words in said if words),
        status="fell_back" if left_open else "done",
        facts=_facts(receipts, too_late) | {"committed": committed} | published.facts,
        keys=tuple(sorted((*keys, *published.keys))),
    )


def _predict(assigned: Sequence[Assignment], job: Job) -> Iterator[Receipt]:
    """Predict windows model by model, so that each is loaded and its trees are prepared once."""
    by_model: dict[str, list[Assignment]] = {}
    for one in assigned:
        if one.is_open:
            by_model.setdefault(one.reign.version, []).append(one)
    for same in by_model.values():
        yield from _predict_by_one_model(same, job)


def _predict_by_one_model(assigned: Sequence[Assignment], job: Job) -> Iterator[Receipt]:
    reign = assigned[0].reign
    model = _load(reign, job)
    rules = read_rules(job.store, job.spec, reign.version)
    first = 0
    for batch in _batches(assigned):
        parts = [one.read_rows() for one in batch]
        rows = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
        try:
            scored = score_rows(model, rows, job.spec, rules)
        except ScoringError:
            others = [one.standing_in() for one in assigned[first:] if one.stand_in != reign]
            if not others:
                raise
            yield from _predict([one for one in others if one.is_open], job)
            return
        ends = np.cumsum([one.count for one in batch])
        for one, end in zip(batch, ends.tolist(), strict=True):
            yield _write(one, scored.iloc[end - one.count : end], rules, job)
        first += len(batch)


def _batches(assigned: Sequence[Assignment]) -> Iterator[list[Assignment]]:
    """Yield windows to be scored together."""
    batch: list[Assignment] = []
    rows = 0
    for one in assigned:
        batch.append(one)
        rows += one.count
        if len(batch) == _AT_ONCE or rows >= _ROWS_AT_ONCE:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def _load(reign: Reign, job: Job) -> PackedModel | FittedModel:
    """Load a reign's model: packed, if it is, which spares the import of scikit-learn."""
    whose = job.store, job.product, job.tenant, reign.version
    if reign.packed:
        return load_packed(*whose, file_digest=reign.packed)
    from tenantry.models.files import load_model

    return load_model(*whose, file_digest=reign.digest)[0]


def _write(one: Assignment, scored: pd.DataFrame, rules: Rules, job: Job) -> Receipt:
    """Write a window's predictions and return the receipt that will commit them."""
    receipt = Receipt(
        product=job.product,
        tenant=job.tenant,
        window=one.window.id,
        model=one.reign.version,
        model_digest=one.reign.digest,
        trained_until=one.reign.trained_until,
        snapshot=one.table.snapshot,
        features=one.table.features,
        as_of=job.as_of,
        run=job.run,
        rows=len(scored),
        late=one.late,
        decided=int(is_decided(scored).sum()),
        threshold=rules.threshold,
        interval=rules.interval,
        mean_probability=float(scored[PROBABILITY].mean()) if len(scored) else None,
        explained=int(scored[REASONS].notna().sum()),
        in_sample=one.in_sample,
    )
    if scored.empty:
        return receipt
    content = to_parquet(scored, by_others=True)
    file = write_predictions(job.store, receipt, content, rows=len(scored))
    return receipt.model_copy(update={"files": (file,)})


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
        f"{counted(len(receipts), 'window')}, {facts['rows']:,} rows, {facts['decided']:,} decided"
    ]
    if facts["in_sample"]:
        parts.append(f"{counted(int(facts['in_sample'] or 0), 'window')} in sample")
    if facts["late"]:
        parts.append(f"{facts['late']:,} rows had arrived late")
    if too_late:
        parts.append(f"{too_late:,} rows arrived too late to be scored")
    return "; ".join(parts)
