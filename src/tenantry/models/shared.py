"""Pooled models that workers share: read by the shard, opened before workers are forked.

Opening one takes 20 CPU-milliseconds, and training opens its folds as well; a worker that is forked
for one tenant would pay for it each time, and for three requests. Every tenant of a product may
read its pooled models.

Reading them imports no scikit-learn.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from tenantry import layout
from tenantry.errors import ModelFileError, TenantryError
from tenantry.models.card import read_object, read_pooled_card
from tenantry.store.contract import ObjectStore

USED_BY = ("train", "promote")
"""The stages that open pooled models by scikit-learn."""


class SharedFile(NamedTuple):
    """A file of a pooled model.

    Attributes:
        content: Its bytes.
        key: Where it lies.
        digest: SHA-256 that its card says.
    """

    content: bytes
    key: str
    digest: str


def read_shared(
    store: ObjectStore, product: str, zones: Mapping[str, str]
) -> tuple[SharedFile, ...]:
    """Read the pooled models of some zones and their folds; what cannot be read is left out.

    Args:
        store: Where from.
        product: The prediction feature.
        zones: Residency zone → version.
    """
    found = []
    for zone, version in sorted(zones.items()):
        with suppress(TenantryError):  # whoever needs it fails by itself, and says why
            card = read_pooled_card(store, product, zone, version)
            names = {f"fold-{cut}.skops": digest for cut, digest in card.folds.items()}
            for name, digest in (names | {"model.skops": card.file_digest}).items():
                key = f"{layout.pooled_folder(product, zone, version)}{name}"
                found.append(SharedFile(read_object(store, key), key, digest))
    return tuple(found)


def open_shared(files: Sequence[SharedFile]) -> None:
    """Open pooled models, so that this process and its forks neither read nor open them again."""
    from tenantry.models.files import keep_open, open_pipeline
    from tenantry.models.leaves import has_single_trees, named_trees

    opened = {}
    for file in files:
        with suppress(ModelFileError):
            pipeline = open_pipeline(*file)
            opened[file.key, file.digest] = pipeline
            if has_single_trees(pipeline):
                named_trees(pipeline)
    keep_open(opened)
