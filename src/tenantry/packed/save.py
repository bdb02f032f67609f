"""Packed files beside saved models: written only when they score real rows as the model does."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from tenantry import layout
from tenantry.digests import sha256
from tenantry.errors import NotPackableError
from tenantry.features.recipe import own_frame, pooled_frame
from tenantry.models.card import Card, PooledPart, Task, read_pooled_card
from tenantry.models.fitted import FittedModel
from tenantry.packed.file import write_model, write_part
from tenantry.packed.load import PACKED, load_part
from tenantry.packed.make import check_packed, pack_model
from tenantry.packed.model import Part
from tenantry.specs.model import Spec
from tenantry.store.adding import put_new
from tenantry.store.contract import ObjectStore

CHECKED_ROWS = 200
"""Rows on which a packed model is compared with the fitted one, taken evenly."""


class Packed(NamedTuple):
    """What became of packing a model.

    Attributes:
        digest: SHA-256 of its packed file; empty where there is none.
        why_not: Why there is none.
    """

    digest: str = ""
    why_not: str = ""


def save_packed(
    store: ObjectStore, model: FittedModel, card: Card, table: pd.DataFrame, spec: Spec
) -> Packed:
    """Write a saved model's ``packed.bin``, if it can be packed and scores real rows alike.

    A model that is the pooled one as it is was compared when that was packed.

    Args:
        store: Where the model lies.
        model: The model.
        card: Its card, as saved.
        table: The tenant's feature table.
        spec: The tenant's spec.

    Raises:
        ModelFileError: The packed file of the pooled model is not what its card says.
    """
    try:
        part, pooled = _pooled_part(store, card)
        packed = pack_model(model, pooled)
        if not _is_shared(model):
            rows = table.iloc[_evenly(len(table), CHECKED_ROWS)]
            check_packed(packed, model, own_frame(rows, spec), pooled_frame(rows, spec))
    except NotPackableError as error:
        return Packed(why_not=str(error))
    content = write_model(packed, part)
    key = f"{layout.model_folder(card.product, card.tenant, card.version)}{PACKED}"
    is_there = not put_new(store, key, content)
    if is_there and store.get(key).content != content:  # an earlier reign of it may name that
        return Packed(why_not=f"{PACKED} is there with other bytes, of other code or a crash")
    return Packed(sha256(content))


def pack_pooled(pipeline: Pipeline, frame: pd.DataFrame, task: Task) -> tuple[bytes, str]:
    """Return the packed file of a pooled model; else no bytes and why.

    Args:
        pipeline: The pooled model.
        frame: Rows as `features.recipe.pooled_frame` gives them, and maybe other columns.
        task: What it predicts.
    """
    rows = frame.iloc[_evenly(len(frame), CHECKED_ROWS)]
    fitted = FittedModel("pooled", task, "pooled", pooled=pipeline)
    try:
        packed = pack_model(fitted)
        check_packed(packed, fitted, rows, rows)
    except NotPackableError as error:
        return b"", str(error)
    return (write_part(packed.pooled), "") if packed.pooled is not None else (b"", "no model")


def _pooled_part(store: ObjectStore, card: Card) -> tuple[PooledPart | None, Part | None]:
    """Return the pooled model that a model stands on as it was packed, and its name."""
    if card.pooled is None:
        return None, None
    shared = read_pooled_card(store, card.product, card.pooled.zone, card.pooled.version)
    if not shared.packed_digest:
        why_not = shared.not_packed or "it was trained before models were"
        msg = f"the pooled model is not packed: {why_not}"
        raise NotPackableError(msg)
    part = card.pooled.model_copy(update={"digest": shared.packed_digest})
    return part, load_part(store, card.product, part)


def _is_shared(model: FittedModel) -> bool:
    """Whether a model is the pooled one as it is, leaf values and calibration included."""
    is_plain = (model.slope, model.intercept) == (1.0, 0.0)
    return model.form == "pooled" and model.leaves is None and is_plain


def _evenly(rows: int, most: int) -> np.ndarray:
    """Return places of rows, taken evenly, `most` at the most."""
    return np.unique(np.linspace(0, rows - 1, min(rows, most)).astype(np.int64))
