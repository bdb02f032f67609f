"""Bring a file of an older version to the current one, step by step.

A step knows two neighbouring versions only; a file of the oldest goes through all of them. Files
on disk are never changed, and product and tenants may be of different versions.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tenantry.errors import Fault, SpecError
from tenantry.specs.model import API_VERSION

Document = dict[str, Any]

_RENAMED = {
    "zone": "residency",
    "overridable": "tenants_may_set",
    "retrain_every": "train.every",
    "train_on": "train.history",
}
"""Top-level fields of v1alpha1 and where v1 has them."""


def migrate(document: Mapping[str, Any], place: str) -> Document:
    """Return a file's content in the current version, without `apiVersion`.

    Args:
        document: The file's content; not changed.
        place: What faults call the file.

    Raises:
        SpecError: The version is missing, unknown or newer than this code, or a field stands
            under its old and its new name.
    """
    version = document.get("apiVersion")
    if version not in VERSIONS:
        raise SpecError([_version_fault(version, place)])
    content = {name: value for name, value in document.items() if name != "apiVersion"}
    for old in VERSIONS[VERSIONS.index(version) : -1]:
        content = _STEPS[old](content, place)
    return content


def _version_fault(version: object, place: str) -> Fault:
    where = f"{place}: apiVersion"
    if version is None:
        return Fault(where, "is missing", f"write `apiVersion: {API_VERSION}`")
    if str(version).startswith("tenantry/v"):
        known = f"is not known here, where {API_VERSION} is the newest"
        return Fault(where, f"{str(version)[:40]!r} {known}", "update Tenantry, or fix the version")
    return Fault(where, f"{str(version)[:40]!r} is no version", f"write {API_VERSION}")


def _from_v1alpha1(document: Document, place: str) -> Document:
    """Rename what v1alpha1 called otherwise, in the list of what tenants may set too."""
    content = {name: value for name, value in document.items() if name not in _RENAMED}
    faults = []
    for old, new in _RENAMED.items():
        if old not in document:
            continue
        if _has(content, new):
            faults.append(Fault(f"{place}: {old}", f"is there as {new} too", "keep one of them"))
        content = _with(content, new, document[old])
    if faults:
        raise SpecError(faults)
    listed = content.get("tenants_may_set")
    if isinstance(listed, list):
        names = [_RENAMED.get(name, name) if isinstance(name, str) else name for name in listed]
        content["tenants_may_set"] = names
    return content


def _has(content: Document, path: str) -> bool:
    at: Any = content
    for part in path.split("."):
        if not isinstance(at, Mapping) or part not in at:
            return False
        at = at[part]
    return True


def _with(content: Document, path: str, value: Any) -> Document:  # noqa: ANN401 - plain data
    head, _, rest = path.partition(".")
    if not rest:
        return content | {head: value}
    inner = content.get(head)
    return content | {head: _with(dict(inner) if isinstance(inner, Mapping) else {}, rest, value)}


def _from_v1(document: Document, _: str) -> Document:
    """Make a zone's name a map, and leave out where sources lie: their connections say it now."""
    content = dict(document)
    if content.get("residency") is not None:
        content["residency"] = {"zone": content["residency"]}
    if isinstance(sources := content.get("sources"), dict):
        content["sources"] = {name: _without_regions(part) for name, part in sources.items()}
    return content


def _without_regions(sources: Any) -> Any:  # noqa: ANN401 - plain data
    if not isinstance(sources, list):
        return sources
    return [
        {name: value for name, value in source.items() if name != "region"}
        if isinstance(source, dict)
        else source
        for source in sources
    ]


_STEPS: dict[str, Callable[[Document, str], Document]] = {
    "tenantry/v1alpha1": _from_v1alpha1,
    "tenantry/v1": _from_v1,
}

VERSIONS = (*_STEPS, API_VERSION)
"""All versions that can be read, oldest first."""
