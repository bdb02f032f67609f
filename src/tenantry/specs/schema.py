"""JSON Schemas of the files in `tenant_specs/`, for editors: completion, words, red underlines.

They are generated from the model and kept beside the specs; `validate` knows more than they do.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tenantry.specs.load import list_products, load_product
from tenantry.specs.model import API_VERSION, Spec
from tenantry.specs.product import Product
from tenantry.specs.regions import Regions

Schema = dict[str, Any]

FOLDER = "schema"
"""Where the schemas lie, below the folder of specs."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VERSION = {"const": API_VERSION, "description": "The version of this file's form."}
_NOTHING = {"type": "null"}
"""Removes what the product sets."""


def product_schema() -> Schema:
    """Return the schema of `product.yaml`."""
    schema = Product.model_json_schema()
    del schema["$defs"]["Pooled"]["properties"]["features"]
    schema["properties"] = {"apiVersion": _VERSION, **_first(schema["properties"], "product")}
    schema["required"] = ["apiVersion", *schema["required"]]
    title = "A product of Tenantry: one prediction feature and its tenants' defaults"
    return _tidy(schema, title)


def extending_schema() -> Schema:
    """Return the schema of a `product.yaml` that extends another: what differs, and its names."""
    whole = Product.model_json_schema()
    definitions = {name: _partial(part) for name, part in whole["$defs"].items()}
    del definitions["Pooled"]["properties"]["features"]
    schema = _partial(whole)
    own = {name: whole["properties"][name] for name in ("product", "extends", "title")}
    schema["properties"] = {"apiVersion": _VERSION} | own | schema["properties"] | own
    schema["required"] = ["apiVersion", *own]
    title = "A product of Tenantry that extends another: what differs from it"
    return _tidy(schema | {"$defs": definitions}, title)


def regions_schema() -> Schema:
    """Return the schema of `regions.yaml`."""
    title = "The regions of Tenantry: where each one's results live"
    return _tidy(Regions.model_json_schema(), title)


def tenant_schema(product: str, may_set: Iterable[str]) -> Schema:
    """Return the schema of the files of a product's tenants.

    Args:
        product: The product's name.
        may_set: What tenants may set, as dotted paths.
    """
    whole = Spec.model_json_schema()
    definitions = {name: _partial(part) for name, part in whole["$defs"].items()}
    allowed = _prune(_partial(whole), [path.split(".") for path in may_set], definitions)
    tenant = whole["properties"]["tenant"] | {"description": "The tenant; the file's name too."}
    allowed["properties"] = {"apiVersion": _VERSION, "tenant": tenant} | allowed["properties"]
    allowed["required"] = ["apiVersion", "tenant"]
    allowed["description"] = "Maps merge with the product's, lists replace them, null removes."
    return _tidy(allowed | {"$defs": definitions}, f"A tenant of {product}: what differs from it")


def schema_files(folder: Path, *, connections: Path | None = None) -> dict[Path, bytes]:
    """Return every schema of a folder of specs: its path and what it should hold.

    Args:
        folder: The folder of specs.
        connections: The file of named connections, when it lies elsewhere.

    Raises:
        SpecError: A spec is wrong.
    """
    schemas = {
        "product": product_schema(),
        "extending": extending_schema(),
        "regions": regions_schema(),
    }
    for product in list_products(folder):
        fleet = load_product(folder, product, connections=connections)
        schemas[f"{product}.tenant"] = tenant_schema(product, fleet.tenants_may_set)
    return {
        folder / FOLDER / f"{name}.json": json.dumps(schema, indent=1, ensure_ascii=False).encode()
        + b"\n"
        for name, schema in schemas.items()
    }


def _first(properties: Schema, *names: str) -> Schema:
    return {name: properties[name] for name in names} | properties


def _partial(part: Schema) -> Schema:
    """Return a part of which a tenant gives as much as it likes, and removes with null."""
    properties = {name: _loose(value) for name, value in part["properties"].items()}
    return {**part, "properties": properties, "required": []}


def _loose(value: Schema) -> Schema:
    """Allow null, and below maps too; of several kinds any may be given in part."""
    words = {"description": value["description"]} if "description" in value else {}
    left_out = ("description", "title", "default", "minProperties", "discriminator")
    rest = {name: part for name, part in value.items() if name not in left_out}
    if isinstance(rest.get("additionalProperties"), dict):
        rest["additionalProperties"] = _loose(rest["additionalProperties"])
    if "patternProperties" in rest:
        patterns = rest["patternProperties"].items()
        rest["patternProperties"] = {pattern: _loose(part) for pattern, part in patterns}
    options = rest.get("oneOf") or rest.get("anyOf") or [rest]
    return {**words, "anyOf": [*(option for option in options if option != _NOTHING), _NOTHING]}


def _prune(part: Schema, paths: list[list[str]], definitions: Schema) -> Schema:
    """Keep of a part only the properties that lie on one of the paths; free maps stay whole."""
    properties = {}
    for name, value in part["properties"].items():
        below = [path[1:] for path in paths if path[0] == name]
        if below and all(below):
            pruned = (
                _prune(definitions[option["$ref"].rpartition("/")[2]], below, definitions)
                if "$ref" in option
                else option
                for option in value["anyOf"]
            )
            properties[name] = value | {"anyOf": list(pruned)}
        elif below:
            properties[name] = value
    return {**part, "properties": properties}


def _tidy(schema: Schema, title: str) -> Schema:
    """Drop definitions that nothing refers to, and titles that only repeat a name."""
    used = _references(schema, schema["$defs"], set())
    parts = {"$defs": {name: schema["$defs"][name] for name in sorted(used)}}
    rest = {name: value for name, value in schema.items() if name not in ("$defs", "title")}
    return {"$schema": _DIALECT, "title": title, **_polish(rest | parts)}


def _references(value: Any, definitions: Schema, seen: set[str]) -> Iterator[str]:  # noqa: ANN401
    items: Iterable[Any] = ()
    if isinstance(value, dict):
        items = [rest for name, rest in value.items() if name != "$defs"]
        name = str(value.get("$ref", "")).rpartition("/")[2]
        if name and name not in seen:
            seen.add(name)
            yield name
            yield from _references(definitions[name], definitions, seen)
    elif isinstance(value, list):
        items = value
    for item in items:
        yield from _references(item, definitions, seen)


def _polish(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, list):
        return [_polish(item) for item in value]
    if not isinstance(value, dict):
        return " ".join(value.split()) if isinstance(value, str) else value
    closed = {"additionalProperties": False} if "patternProperties" in value else {}
    kept = (
        (name, rest) for name, rest in value.items() if name != "title" or isinstance(rest, dict)
    )
    return {name: _polish(rest) for name, rest in kept} | closed
