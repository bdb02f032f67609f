"""Pooled models that workers share: read by the shard, opened before workers are forked.

Opening one takes 20 CPU-milliseconds, and training opens its folds as well; a worker that is forked
for one tenant would pay for it each time, and for five requests: the card, which names all tenants,
and the packed file among them. Every tenant of a product may read its pooled models.

Reading them imports no scikit-learn.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from tenantry import layout
from tenantry.errors import ModelFileError, TenantryError
from tenantry.models.card import keep_read, open_pooled_card, read_object
from tenantry.store.contract import ObjectStore

USED_BY = ("train", "promote")
"""The stages that open pooled models by scikit-learn."""


class SharedFile(NamedTuple):
    """A file of a pooled model.

    Attributes:
        content: Its bytes.
        key: Where it lies.
        digest: SHA-256 that its card says; empty for the card itself.
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
    found: list[SharedFile] = []
    for zone, version in sorted(zones.items()):
        with suppress(TenantryError):  # whoever needs it fails by itself, and says why
            found += _read_files(store, layout.pooled_folder(product, zone, version))
    return tuple(found)


def _read_files(store: ObjectStore, folder: str) -> Iterator[SharedFile]:
    key = f"{folder}card.json"
    content = read_object(store, key)
    card = open_pooled_card(content, key)
    yield SharedFile(content, key, "")
    digests = {f"fold-{cut}.skops": digest for cut, digest in card.folds.items()}
    digests |= {"model.skops": card.file_digest, "packed.bin": card.packed_digest}
    for name, digest in digests.items():
        if digest:
            yield SharedFile(read_object(store, f"{folder}{name}"), f"{folder}{name}", digest)


def open_shared(files: Sequence[SharedFile], stage: str = "", tenants: int = 0) -> None:
    """Open pooled models, so that this process and its forks neither read nor open them again.

    Args:
        files: As `read_shared` returned them; those of before are forgotten.
        stage: What they are for: where promoting tells what drives scores, what that looks up is
            worked out, too.
        tenants: How many there are.
    """
    from tenantry.explain import DRIVER_ROWS
    from tenantry.models.attribution import expect_rows
    from tenantry.models.files import open_pipeline
    from tenantry.models.leaves import has_single_trees, named_trees

    keep_read({file.key: file.content for file in files})
    for file in files:
        if not file.key.endswith(".skops"):
            continue
        with suppress(ModelFileError):
            pipeline = open_pipeline(*file)
            if has_single_trees(pipeline):
                named_trees(pipeline)
                if stage == "promote":
                    expect_rows(pipeline, tenants * DRIVER_ROWS)
