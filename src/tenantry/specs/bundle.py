"""What Git declares, published in the store as one bundle named by its content.

A cluster has no checkout: what a Git push brings reaches it as ConfigMaps, a few files each. The
sync job puts all of them into the store at once, and the next run's plan reads them there, whole,
and freezes what it needs.
"""

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tenantry import layout
from tenantry.digests import canonical_json, sha256
from tenantry.errors import Fault, ObjectMissingError, SpecError
from tenantry.records import Record
from tenantry.reigns import swap
from tenantry.specs.load import list_products, load_product
from tenantry.specs.regions import REGIONS_FILE
from tenantry.store.contract import ObjectInfo, ObjectStore

_FILE = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9._-]*/)?[A-Za-z0-9_-][A-Za-z0-9._-]*\.yaml")


class SpecsPointer(Record):
    """Which bundle holds.

    Attributes:
        counter: Grows with every change.
        digest: The bundle's.
        previous: Digest of the one before; empty for the first.
    """

    counter: int
    digest: str
    previous: str = ""


@dataclass(frozen=True)
class Bundle:
    """All files of a folder of specs.

    Attributes:
        files: Path below the folder → text.
    """

    files: Mapping[str, str]

    @property
    def content(self) -> bytes:
        """The bundle as JSON; equal files give equal bytes."""
        return canonical_json({"files": dict(self.files)})

    @property
    def digest(self) -> str:
        """SHA-256 of the content."""
        return sha256(self.content)


def read_folder(folder: Path) -> Bundle:
    """Read a folder of specs: its YAML files and those of its products; mounted links are followed.

    Raises:
        SpecError: Every fault of every file; what is wrong is not published.
    """
    faults: list[Fault] = []
    for product in list_products(folder):
        try:
            load_product(folder, product)
        except SpecError as error:
            faults += error.faults
    found = {
        str(path.relative_to(folder)): path.read_text(encoding="utf-8")
        for path in sorted([*folder.glob("*.yaml"), *folder.glob("*/*.yaml")])
        if not path.parent.name.startswith(".")
    }
    faults += [Fault(name, "has a name that no spec has") for name in found if not _is_file(name)]
    if not list_products(folder):
        faults.append(Fault(str(folder), "declares no product", "name the folder of the specs"))
    if faults:
        raise SpecError(dict.fromkeys(faults))
    return Bundle(found)


def find_published(store: ObjectStore) -> str:
    """Return the digest of the bundle that holds; empty when none was published."""
    pointer = _read_pointer(store)
    return pointer.digest if pointer else ""


def _read_pointer(store: ObjectStore) -> SpecsPointer | None:
    try:
        found = store.get(layout.SPECS_POINTER)
    except ObjectMissingError:
        return None
    return SpecsPointer.from_json(found.content, layout.SPECS_POINTER)


def publish(store: ObjectStore, bundle: Bundle, seen: str | None = None) -> str:
    """Put a bundle into the store, then point to it; return the digest of the one before.

    Args:
        store: The store.
        bundle: What is published.
        seen: Digest of the bundle that held when it was decided to publish this one, empty for
            none; None: whichever holds.

    Raises:
        SpecError: Another bundle than `seen` holds.
    """
    before = ""

    def change(found: SpecsPointer | None) -> SpecsPointer:
        nonlocal before
        before = found.digest if found else ""
        if found and found.digest == bundle.digest:
            return found
        if seen is not None and before != seen:
            fault = f"specs {before[:12]} were published meanwhile; these may be older"
            raise SpecError([Fault("specs", fault, "run the sync of the newest commit again")])
        counter = found.counter + 1 if found else 1
        return SpecsPointer(counter=counter, digest=bundle.digest, previous=before)

    if find_published(store) != bundle.digest:
        store.put(layout.specs_bundle(bundle.digest), bundle.content)
    swap(store, layout.SPECS_POINTER, SpecsPointer, change)
    if store.find(layout.specs_bundle(bundle.digest)) is None:  # `withdraw` did not see it coming
        store.put(layout.specs_bundle(bundle.digest), bundle.content)
    return before


def find_superseded(store: ObjectStore) -> Iterator[ObjectInfo]:
    """Yield the bundles that neither hold nor held before that one.

    No run reads them: each froze what it needs of the specs when it was planned.
    """
    pointer = _read_pointer(store)
    if pointer is None:
        return
    kept = {layout.specs_bundle(digest) for digest in (pointer.digest, pointer.previous) if digest}
    yield from (info for info in store.list(layout.SPECS_FOLDER) if info.key not in kept)


def withdraw(store: ObjectStore, key: str) -> None:
    """Remove a superseded bundle; put it back where it was published again meanwhile."""
    content = store.get(key).content
    store.purge(key)
    if layout.specs_bundle(find_published(store)) == key:
        store.put(key, content)


def read_published(store: ObjectStore) -> Bundle:
    """Read the bundle that holds.

    Raises:
        SpecError: None was published, or it is not what its name says.
    """
    digest = find_published(store)
    if not digest:
        remedy = "let TENANTRY_SPECS name a folder of specs, or run python -m pipelines sync"
        raise SpecError(
            [Fault("specs", f"no product is declared, nor published in {store.url}", remedy)]
        )
    key = layout.specs_bundle(digest)
    content = store.get(key).content
    bundle = Bundle(json.loads(content)["files"]) if sha256(content) == digest else Bundle({})
    if bundle.digest != digest or not all(map(_is_file, bundle.files)):
        raise SpecError([Fault(key, "is not what was published", "run python -m pipelines sync")])
    return bundle


@contextmanager
def declared_specs(folder: Path, store: ObjectStore) -> Iterator[Path]:
    """Yield a folder of specs: the one given, or what was published where that has no product.

    Args:
        folder: The folder; its `regions.yaml` holds either way, for it says where stores are.
        store: Where specs are published.

    Raises:
        SpecError: There are no specs in either.
    """
    if folder.is_dir() and list_products(folder):
        yield folder
        return
    files = dict(read_published(store).files)
    if (own := folder / REGIONS_FILE).is_file():
        files[REGIONS_FILE] = own.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as place:
        for name, text in files.items():
            path = Path(place) / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        yield Path(place)


def _is_file(name: str) -> bool:
    return bool(_FILE.fullmatch(name))
