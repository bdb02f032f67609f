"""Erasing the rows of a data subject from everything that a tenant's folder holds.

What holds a row goes, and the next run makes anew what it needs; predictions, evaluations and
receipts are written again without it. Models that learnt from it are withdrawn, the champion when
another reigns. All of it can be done again at any time: the rows are known by their hashes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from tenantry import layout
from tenantry.columns import LABEL_KNOWN_AT
from tenantry.digests import sha256
from tenantry.erasure.models import replace_models
from tenantry.erasure.orders import RowOrder, amend_order, read_orders, summed, united
from tenantry.erasure.removal import Removal
from tenantry.erasure.served import rewrite_served
from tenantry.erasure.suppression import Suppressed, find_suppressed, read_suppressed, suppress
from tenantry.errors import ObjectMissingError
from tenantry.parquet import keep_rows, read_columns, read_notes
from tenantry.predictions import PredictionFile, Receipt
from tenantry.serving.index import change_entries
from tenantry.snapshots import read_manifest
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore


@dataclass(frozen=True)
class Holdings:
    """Where a tenant's snapshots hold suppressed rows.

    Attributes:
        keys: The rows' keys, as typed.
        chunks: Digests of the chunks that hold them.
        snapshots: The snapshots made of these, or that set such rows aside.
        learnable: The earliest moment from which a model could learn from them; None when their
            labels are not known.
    """

    keys: pd.DataFrame
    chunks: tuple[str, ...]
    snapshots: tuple[str, ...]
    learnable: datetime | None


def scrub_rows(store: ObjectStore, spec: Spec, *, name: str = "") -> RowOrder | None:
    """Remove every suppressed row of a tenant from all that its folder holds.

    The order then waits to be settled: by whoever gave it, or by the next plan.

    Args:
        store: The store.
        spec: The tenant's spec.
        name: The order in which it is noted what was done; the last one that was given when empty.

    Returns:
        That order; None when none was ever given.
    """
    orders = sorted(
        read_orders(store, spec.product, spec.tenant), key=lambda one: (one.when, one.name)
    )
    suppressed = read_suppressed(store, spec.product, spec.tenant)
    if not orders or suppressed is None:
        return None
    order, removal = next((one for one in orders if one.name == name), orders[-1]), Removal(store)
    store.put(layout.waiting(spec.product, spec.tenant, order.name), b"{}")
    held = find_holdings(store, spec, suppressed)
    if len(held.keys):
        suppress(store, spec, held.keys)
        suppressed = read_suppressed(store, spec.product, spec.tenant) or suppressed
    order = amend_order(store, order, lambda it: _with_holdings(it, held))
    snapshots = {*order.snapshots, *(sha for one in orders for sha in one.snapshots)}
    _remove_snapshots(removal, spec, held.chunks, order.snapshots)
    _remove_features(removal, spec, suppressed, snapshots)
    _remove_online(removal, spec)
    _rewrite_predictions(removal, spec, suppressed)
    rewrite_served(removal, spec, suppressed)
    drawn = layout.monitoring_folder(spec.product, spec.tenant)
    for key in _drawn(store, drawn) if order.rows else ():
        removal.remove("drift reports and insights", key)
    models = replace_models(removal, spec.product, spec.tenant, snapshots, now=order.at_once)
    for key in _keys(store, layout.models_folder(spec.product, spec.tenant), ".parquet"):
        _rewrite_rows(removal, "evaluations", key, spec, suppressed)
    return amend_order(
        store,
        order,
        lambda it: it.model_copy(
            update={
                "status": "waiting",
                "models": united(it.models, models),
                "removed": summed(it.removed, removal.removed),
                "rewritten": summed(it.rewritten, removal.rewritten),
            }
        ),
    )


def _with_holdings(order: RowOrder, held: Holdings) -> RowOrder:
    return order.model_copy(
        update={
            "snapshots": united(order.snapshots, held.snapshots),
            "rows": max(order.rows, len(held.keys)),
        }
    )


def find_holdings(store: ObjectStore, spec: Spec, suppressed: Suppressed) -> Holdings:
    """Look for suppressed rows in all snapshots; changes nothing."""
    columns = {*spec.key, LABEL_KNOWN_AT, *_named(suppressed)}
    folder = f"{layout.snapshots_folder(spec.product, spec.tenant)}chunks/"
    chunks, found = [], []
    for key in _keys(store, folder, ".parquet"):
        frame = read_columns(store.get(key).content, sorted(columns))
        mask = find_suppressed(suppressed, frame, spec.contract.columns)
        if mask.any():
            chunks.append(key.removeprefix(folder).removesuffix(".parquet"))
            found.append(frame[mask])
    rows = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    known = rows[LABEL_KNOWN_AT].min() if len(rows) else pd.NaT
    return Holdings(
        keys=rows[list(spec.key)].drop_duplicates(ignore_index=True) if len(rows) else rows,
        chunks=tuple(chunks),
        snapshots=tuple(_affected(store, spec, suppressed, {*chunks})),
        learnable=None if pd.isna(known) else known.to_pydatetime(),
    )


def _affected(
    store: ObjectStore, spec: Spec, suppressed: Suppressed, chunks: set[str]
) -> Iterator[str]:
    """Yield the snapshots that hold a chunk of `chunks`, or set a suppressed row aside."""
    for sha in store.list_folders(layout.snapshots_folder(spec.product, spec.tenant)):
        try:
            manifest = read_manifest(store, spec.product, spec.tenant, sha)
        except ObjectMissingError:
            continue  # the chunks' own folder, or a snapshot half removed
        if not chunks.isdisjoint(chunk.sha256 for chunk in manifest.chunks):
            yield sha
        elif manifest.quarantine is not None:
            key = layout.quarantine(spec.product, spec.tenant, sha)
            frame = read_columns(store.get(key).content, _named(suppressed))
            if find_suppressed(suppressed, frame, spec.contract.columns).any():
                yield sha


def _named(suppressed: Suppressed) -> list[str]:
    return sorted({name for entry in suppressed.entries for name in entry.columns})


def _keys(store: ObjectStore, folder: str, ending: str) -> list[str]:
    return [info.key for info in store.list(folder) if info.key.endswith(ending)]


def _drawn(store: ObjectStore, folder: str) -> list[str]:
    """Return what shows single rows, or counts of few, of windows that were judged."""
    endings = ("/report.html", "/insights.html", "/insights.json")
    return [key for ending in endings for key in _keys(store, folder, ending)]


# --- what goes ------------------------------------------------------------------------------------


def _remove_snapshots(
    removal: Removal, spec: Spec, chunks: tuple[str, ...], snapshots: tuple[str, ...]
) -> None:
    """Remove manifests, their origins and quarantines first: what can be found is whole."""
    for sha in snapshots:
        folder = f"{layout.snapshots_folder(spec.product, spec.tenant)}{sha}/"
        removal.remove("snapshots", folder)
    for sha in chunks:
        removal.remove("chunks", layout.chunk(spec.product, spec.tenant, sha))


def _remove_features(
    removal: Removal, spec: Spec, suppressed: Suppressed, snapshots: set[str]
) -> None:
    """Remove the feature tables made of such snapshots; they can always be made again."""
    folder = layout.features_folder(spec.product, spec.tenant)
    for key in _keys(removal.store, folder, ".parquet"):
        content = removal.store.get(key).content
        holds = read_notes(content).get("tenantry.snapshot") in snapshots
        if (
            holds
            or find_suppressed(suppressed, _keyed(content, suppressed), spec.contract.columns).any()
        ):
            removal.remove("feature tables", key)


# --- what is written anew -------------------------------------------------------------------------


def _keyed(content: bytes, suppressed: Suppressed) -> pd.DataFrame:
    return read_columns(content, _named(suppressed))


def _rewrite_rows(
    removal: Removal, kind: str, key: str, spec: Spec, suppressed: Suppressed
) -> None:
    content = removal.store.get(key).content
    mask = find_suppressed(suppressed, _keyed(content, suppressed), spec.contract.columns)
    if mask.any():
        removal.rewrite(kind, key, keep_rows(content, ~mask))
    else:
        removal.forget(key)


def _remove_online(removal: Removal, spec: Spec) -> None:
    """Remove the tenant's online features, which hold rows; the next run publishes them anew.

    Nor is a challenger tried until then, which may have learnt from the rows.
    """
    folder = layout.serving_records_folder(spec.product, spec.tenant)
    for key in _keys(removal.store, folder, ".online"):
        removal.remove("online features", key)
    nothing = {"online": "", "trial": None}
    change_entries(
        removal.store, spec.product, [spec.tenant], lambda one: one.model_copy(update=nothing)
    )


def _rewrite_predictions(removal: Removal, spec: Spec, suppressed: Suppressed) -> None:
    """Take the rows out of every file, then make each receipt say what its files hold."""
    folder = layout.predictions_folder(spec.product, spec.tenant)
    for key in _keys(removal.store, folder, ".parquet"):
        _rewrite_rows(removal, "predictions", key, spec, suppressed)
    for key in _keys(removal.store, folder, "/receipt.json"):
        receipt = Receipt.from_json(removal.store.get(key).content, key)
        rewritten = _recount(removal.store, receipt)
        if rewritten != receipt:
            removal.rewrite("receipts", key, rewritten.to_json())
        else:
            removal.forget(key)


def _recount(store: ObjectStore, receipt: Receipt) -> Receipt:
    """Return a receipt that is true of its files as they are now."""
    files, frames = [], []
    for file in receipt.files:
        content = store.get(file.key).content
        frame = read_columns(content, ("probability", "decision", "reasons"))
        files.append(PredictionFile(key=file.key, sha256=sha256(content), rows=len(frame)))
        frames.append(frame)
    if tuple(files) == receipt.files:
        return receipt
    rows = pd.concat(frames, ignore_index=True)
    return receipt.model_copy(
        update={
            "files": tuple(files),
            "rows": len(rows),
            "late": min(receipt.late, len(rows)),
            "decided": int(rows["decision"].sum()),
            "mean_probability": float(rows["probability"].mean()) if len(rows) else None,
            "explained": int(rows["reasons"].notna().sum()),
            "erased": receipt.erased + receipt.rows - len(rows),
        }
    )
