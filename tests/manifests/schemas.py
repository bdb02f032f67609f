"""Strict checks of manifests: every field known, every type right, nothing required missing.

Kubernetes' own kinds by the models of its Python client, others by their published definitions.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from kubernetes.client import models

_OURS = re.compile(r"(([a-z]+|[a-z.]+\.k8s\.io)/)?v[12]")
"""API groups of Kubernetes itself."""
_PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float)}


def find_faults(document: dict[str, Any], crds: Path | None) -> Iterator[str]:
    """Yield what is wrong with a document: place and fault."""
    kind, group = document["kind"], document["apiVersion"]
    version = group.rpartition("/")[2].capitalize()
    model = getattr(models, f"{version}{kind}", None)
    place = f"{kind}/{document['metadata']['name']}"
    if model is not None and _OURS.fullmatch(group):
        yield from _model_faults(document, model, place)
    elif schema := _definitions(crds).get((group, kind)):
        for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
            yield f"{place}: {error.json_path}: {error.message[:300]}"
    else:
        yield f"{place}: nobody knows {group}"


def _model_faults(value: Any, model: type, place: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{place}: {value!r} is no map"
        return
    fields = {model.attribute_map[name]: kind for name, kind in model.openapi_types.items()}
    for name in value.keys() - fields.keys():
        yield f"{place}.{name}: there is no such field"
    for name, kind in fields.items():
        if name in value:
            yield from _type_faults(value[name], kind, f"{place}.{name}")
    yield from _required_faults(value, model, place)


def _required_faults(value: dict[str, Any], model: type, place: str) -> Iterator[str]:
    given = {name: value.get(key) for name, key in model.attribute_map.items()}
    try:
        model(**given)
    except ValueError as error:
        yield f"{place}: {error}"


def _type_faults(value: Any, kind: str, place: str) -> Iterator[str]:
    listed = re.fullmatch(r"list\[(.+)\]", kind)
    mapped = re.fullmatch(r"dict\(str, (.+)\)", kind)
    if kind in _PLAIN:
        yield from _plain_faults(value, kind, place)
    elif listed and isinstance(value, list):
        for number, one in enumerate(value):
            yield from _type_faults(one, listed[1], f"{place}[{number}]")
    elif mapped and isinstance(value, dict):
        for name, one in value.items():
            yield from _type_faults(one, mapped[1], f"{place}.{name}")
    elif listed or mapped:
        yield f"{place}: {value!r} is no {kind}"
    elif kind not in ("object", "datetime"):
        yield from _model_faults(value, getattr(models, kind), place)


def _plain_faults(value: Any, kind: str, place: str) -> Iterator[str]:
    if not isinstance(value, _PLAIN[kind]) or (kind != "bool" and isinstance(value, bool)):
        yield f"{place}: {value!r} is no {kind}"


@cache
def _definitions(folder: Path | None) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the schemas of other projects' kinds, unknown fields forbidden."""
    found = {}
    for path in sorted(folder.glob("*.yaml")) if folder else ():
        for one in yaml.load_all(path.read_text(), Loader=yaml.CSafeLoader):
            spec = one["spec"]
            for version in spec["versions"]:
                schema = _closed(version["schema"]["openAPIV3Schema"], root=True)
                found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def _closed(schema: Any, *, root: bool = False) -> Any:
    """Forbid unknown fields wherever the definition would prune them."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: _closed(one) for name, one in schema.items()}
    keeps = schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and not keeps:
        closed["additionalProperties"] = False
    if root:
        closed["properties"]["metadata"] = {"type": "object"}
    return closed
