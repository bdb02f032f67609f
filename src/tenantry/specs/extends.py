"""A product that extends another: its file holds what differs, by the rules of `merge`."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tenantry.errors import Fault, SpecError
from tenantry.specs.document import read_document
from tenantry.specs.faults import quoted, suggest
from tenantry.specs.migrate import migrate

PRODUCT_FILE = "product.yaml"

_OWN = ("product", "title", "description")
"""What says which product it is: never another's."""


def read_base(folder: Path, document: Mapping[str, Any], products: Iterable[str]) -> dict[str, Any]:
    """Read what a product takes from the one that it extends; nothing when it extends none.

    Args:
        folder: The product's folder, beside those of the others.
        document: Its file's content.
        products: The products beside it.

    Returns:
        The other's content in the current version, without what says which product it is.

    Raises:
        SpecError: There is no such product, it extends another itself, or its file is no YAML.
    """
    name = document.get("extends")
    if name is None:
        return {}
    place = f"{folder.name}/{PRODUCT_FILE}: extends"
    others = sorted(set(products) - {folder.name})
    if name not in others:
        fault = f"there is no other product {quoted(name)}"
        raise SpecError([Fault(place, fault, suggest(str(name), others))])
    file = f"{name}/{PRODUCT_FILE}"
    base = migrate(read_document(folder.parent / file, file), file)
    if base.get("extends") is not None:
        fault = f"{name} extends {quoted(base['extends'])} itself"
        raise SpecError([Fault(place, fault, "extend the product at the root; one step is all")])
    return {field: value for field, value in base.items() if field not in _OWN}


def with_origins(
    faults: Iterable[Fault], document: Mapping[str, Any], base: Mapping[str, Any]
) -> Iterator[Fault]:
    """Say of what does not fit that it comes from the product that is extended, where it does."""
    for fault in faults:
        path = fault.place.split(".")
        if not _sets(document, path) and _sets(base, path):
            remedy = f"{document['extends']} sets it; write `{path[-1]}: null` to remove it"
            yield Fault(fault.place, fault.fault, remedy)
        else:
            yield fault


def lent_by(
    base: Mapping[str, Any], document: Mapping[str, Any], fields: Collection[str]
) -> dict[str, str]:
    """Return the top-level fields that the file of another product gives whole → that product."""
    return {name: document["extends"] for name in fields if name in base and name not in document}


def _sets(at: Any, path: Iterable[str]) -> bool:  # noqa: ANN401 - plain data
    for part in path:
        if not isinstance(at, Mapping) or part not in at:
            return False
        at = at[part]
    return True
