"""Where models lie in the store, and how they are saved and loaded."""

from datetime import datetime
from functools import lru_cache

from sklearn.pipeline import Pipeline

from tenantry import layout
from tenantry.digests import digest, sha256
from tenantry.errors import ModelFileError
from tenantry.models.archive import content_digest, pack, unpack
from tenantry.models.card import (
    Card,
    PooledCard,
    PooledPart,
    read_card,
    read_object,
)
from tenantry.models.fitted import FittedModel
from tenantry.store.contract import ObjectStore
from tenantry.times import compact, parse_compact

_PARTS = ("recipe", "task", "form", "weight", "slope", "intercept")
_LEAVES = "leaves"


def save_model(store: ObjectStore, model: FittedModel, card: Card) -> Card:
    """Save a tenant's model and its card; the same model and card give the same bytes.

    Args:
        store: Where to.
        model: The model; its pooled part is saved as a reference only.
        card: Its card, with `pooled` where the model has such a part; version and digests are
            filled in here.

    Returns:
        The card as saved.

    Raises:
        ModelFileError: The model holds a type outside the allow-list.
        ValueError: Model and card differ on whether there is a pooled part.
    """
    if (model.pooled is None) != (card.pooled is None):
        msg = "a model with a pooled part needs a card that names it, and one without must not"
        raise ValueError(msg)
    reference = card.pooled.model_dump() if card.pooled else None
    parts: dict[str, object] = {name: getattr(model, name) for name in _PARTS}
    if model.classes:
        parts["classes"] = list(model.classes)
    if model.leaves is not None:
        parts[_LEAVES] = model.leaves
    archive = pack(parts | {"own": model.own, "pooled": reference})
    identity = content_digest(archive)
    version = _version(card.as_of, identity)
    found = {"version": version, "content_digest": identity, "file_digest": sha256(archive)}
    card = card.model_copy(update=found)
    folder = layout.model_folder(card.product, card.tenant, version)
    store.put(f"{folder}model.skops", archive)
    store.put(f"{folder}card.json", card.to_json())
    return card


def load_model(
    store: ObjectStore, product: str, tenant: str, version: str, *, file_digest: str = ""
) -> tuple[FittedModel, Card]:
    """Load a tenant's model, its pooled part included.

    Args:
        store: Where from.
        product: The prediction feature.
        tenant: The customer account.
        version: The model's version.
        file_digest: SHA-256 that the file must have, from the champion's reign; the card's own
            is trusted when empty.

    Raises:
        ModelFileError: A file is missing, is not what its digest says, or holds a foreign type.
    """
    card = read_card(store, product, tenant, version)
    if (card.product, card.tenant, card.version) != (product, tenant, version):
        place = f"{layout.model_folder(product, tenant, version)}card.json"
        msg = f"{place}: is the card of another model; restore it or train again"
        raise ModelFileError(msg)
    if file_digest and file_digest != card.file_digest:
        place = f"{layout.model_folder(product, tenant, version)}card.json"
        msg = f"{place}: names another file than the champion's pointer; restore it or train again"
        raise ModelFileError(msg)
    key = f"{layout.model_folder(product, tenant, version)}model.skops"
    content = unpack(read_object(store, key), key, card.file_digest)
    pooled = load_pooled_part(store, product, content["pooled"])
    parts = {name: content[name] for name in _PARTS}
    parts["classes"] = tuple(content.get("classes", ()))
    leaves = content.get(_LEAVES)  # files of other models, and older ones, have none
    return FittedModel(**parts, own=content["own"], pooled=pooled, leaves=leaves), card


def save_pooled(
    store: ObjectStore,
    card: PooledCard,
    pipeline: Pipeline,
    folds: dict[datetime, Pipeline],
    *,
    packed: bytes = b"",
) -> PooledCard:
    """Save a pooled model, its folds by cut, and its card; version and digests are filled in.

    Args:
        store: Where to.
        card: Its card.
        pipeline: The model.
        folds: The same as of earlier cuts.
        packed: Its packed file (`packed.save.pack_pooled`); empty where there is none.

    Raises:
        ModelFileError: A pipeline holds a type outside the allow-list.
    """
    model = pack({"pipeline": pipeline})
    files = {compact(cut): pack({"pipeline": fold}) for cut, fold in sorted(folds.items())}
    identity = digest([content_digest(archive) for archive in (model, *files.values())])
    found = {
        "version": _version(card.as_of, identity),
        "content_digest": identity,
        "file_digest": sha256(model),
        "folds": {cut: sha256(archive) for cut, archive in files.items()},
        "packed_digest": sha256(packed) if packed else "",
    }
    card = card.model_copy(update=found)
    folder = layout.pooled_folder(card.product, card.zone, card.version)
    for cut, archive in files.items():
        store.put(f"{folder}fold-{cut}.skops", archive)
    store.put(f"{folder}model.skops", model)
    if packed:
        store.put(f"{folder}packed.bin", packed)
    store.put(f"{folder}card.json", card.to_json())
    return card


def load_pooled_part(
    store: ObjectStore, product: str, part: PooledPart | dict[str, str] | None
) -> Pipeline | None:
    """Load the pooled pipeline that a card names; None for None.

    Raises:
        ModelFileError: The file is missing, is not what its digest says, or holds a foreign type.
    """
    if part is None:
        return None
    part = PooledPart.model_validate(part)
    folder = layout.pooled_folder(product, part.zone, part.version)
    return _pipeline(store, f"{folder}model.skops", part.digest)


def load_pooled(store: ObjectStore, card: PooledCard) -> Pipeline:
    """Load the pooled model of a card.

    Raises:
        ModelFileError: The file is missing, is not what its digest says, or holds a foreign type.
    """
    folder = layout.pooled_folder(card.product, card.zone, card.version)
    return _pipeline(store, f"{folder}model.skops", card.file_digest)


def load_fold(store: ObjectStore, card: PooledCard, before: datetime) -> Pipeline | None:
    """Load the latest fold that saw nothing after `before`; None when there is none so early.

    Raises:
        ModelFileError: The file is missing, is not what its digest says, or holds a foreign type.
    """
    cuts = [cut for cut in card.folds if parse_compact(cut) <= before]
    if not cuts:
        return None
    cut = max(cuts)
    folder = layout.pooled_folder(card.product, card.zone, card.version)
    return _pipeline(store, f"{folder}fold-{cut}.skops", card.folds[cut])


def _version(as_of: datetime, identity: str) -> str:
    return f"{compact(as_of)}-{identity[:12]}"


def _pipeline(store: ObjectStore, key: str, file_digest: str) -> Pipeline:
    return open_pipeline(read_object(store, key), key, file_digest)


@lru_cache(maxsize=16)  # one pooled model and its folds serve all tenants of a worker
def open_pipeline(archive: bytes, key: str, file_digest: str) -> Pipeline:
    """Open the file of a pooled model or a fold; one that was opened before is shared.

    Raises:
        ModelFileError: It is not what its digest says, or holds a foreign type or no pipeline.
    """
    pipeline = unpack(archive, key, file_digest).get("pipeline")
    if not isinstance(pipeline, Pipeline):
        msg = f"{key}: holds no pipeline; train the pooled model again"
        raise ModelFileError(msg)
    return pipeline
