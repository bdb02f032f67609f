"""The recipes of others that the platform allows, and the types that their models may hold.

They stand in one file that the platform owns, outside the specs: `TENANTRY_RECIPES` names it. What
is not in it is neither imported nor opened, whatever a spec or a model file says.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tenantry.errors import Fault, SpecError
from tenantry.settings import recipes_file
from tenantry.specs.document import read_document

NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
"""``module:function``"""

_TYPE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def allowed_recipes() -> Mapping[str, tuple[str, ...]]:
    """Return ``module:function`` → the types beyond our own that its models may hold.

    Raises:
        SpecError: The file that `TENANTRY_RECIPES` names cannot be read; all its faults.
    """
    path = recipes_file()
    return _read(path) if path else {}


def allowed_types() -> frozenset[str]:
    """Return all types that models of allowed recipes may hold beyond our own.

    Raises:
        SpecError: The file that `TENANTRY_RECIPES` names cannot be read.
    """
    return frozenset(name for types in allowed_recipes().values() for name in types)


@cache
def _read(path: Path) -> Mapping[str, tuple[str, ...]]:
    listed = read_document(path, path.name).get("recipes")
    place = f"{path.name}: recipes"
    if not isinstance(listed, dict):
        remedy = "write `module:function: {types: [...]}` below it"
        raise SpecError([Fault(place, "is missing or no map", remedy)])
    faults = [fault for name, it in listed.items() for fault in _faults(place, name, it)]
    if faults:
        raise SpecError(faults)
    return {name: tuple((it or {}).get("types", ())) for name, it in listed.items()}


def _faults(place: str, name: str, it: Any) -> list[Fault]:  # noqa: ANN401 - plain data
    if not NAME.fullmatch(name):
        return [Fault(place, f"{name[:60]!r} is no recipe", "write module:function")]
    where = f"{place}.{name}"
    if it is not None and (not isinstance(it, dict) or set(it) - {"types"}):
        return [Fault(where, "is not a map of types", "write {types: [module.Class]}, or nothing")]
    types = (it or {}).get("types", [])
    if not isinstance(types, list):
        return [Fault(f"{where}.types", "is not a list", "write [module.Class]")]
    return [
        Fault(f"{where}.types", f"{str(one)[:60]!r} is no type", "write module.Class")
        for one in types
        if not isinstance(one, str) or not _TYPE.fullmatch(one)
    ]
