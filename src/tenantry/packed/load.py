"""Packed models from the store: all that scoring needs, and nothing that could be executed.

To score one row, load a model once (`load_packed`) and ask it `PackedModel.predict_row`.
"""

from functools import lru_cache

from tenantry import layout
from tenantry.digests import sha256
from tenantry.errors import ModelFileError
from tenantry.models.card import PooledPart, read_object
from tenantry.packed.file import pooled_part_of, read_model, read_part
from tenantry.packed.model import PackedModel, Part
from tenantry.store.contract import ObjectStore

PACKED = "packed.bin"
"""The name of a packed file, beside ``model.skops``."""


def load_packed(
    store: ObjectStore, product: str, tenant: str, version: str, *, file_digest: str
) -> PackedModel:
    """Load a tenant's packed model, its pooled part included.

    Args:
        store: Where from.
        product: The prediction feature.
        tenant: The customer account.
        version: The model's version.
        file_digest: SHA-256 that the file must have, from the champion's reign.

    Raises:
        ModelFileError: A file is missing, or is not what its digest says.
    """
    key = f"{layout.model_folder(product, tenant, version)}{PACKED}"
    content = _checked(read_object(store, key), key, file_digest)
    part = pooled_part_of(content)
    return read_model(content, load_part(store, product, part) if part is not None else None)


def load_part(store: ObjectStore, product: str, part: PooledPart) -> Part:
    """Load a packed pooled model; one that was loaded before is shared.

    Args:
        store: Where from.
        product: The prediction feature.
        part: Zone and version, and SHA-256 of the packed file.

    Raises:
        ModelFileError: The file is missing, or is not what its digest says.
    """
    key = f"{layout.pooled_folder(product, part.zone, part.version)}{PACKED}"
    return _opened(read_object(store, key), key, part.digest)


@lru_cache(maxsize=16)  # one pooled model serves all tenants of a worker
def _opened(content: bytes, key: str, file_digest: str) -> Part:
    return read_part(_checked(content, key, file_digest))


def _checked(content: bytes, key: str, file_digest: str) -> bytes:
    if sha256(content) != file_digest:
        msg = f"{key}: not the file that was written (digest); restore it or train again"
        raise ModelFileError(msg)
    return content
