"""Packed models as files: a line, a header in JSON, and arrays; nothing in it can be executed.

A tenant's file does not hold the pooled splits: it names the file that does, by digest, and one
copy of them serves all tenants.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tenantry.arrays import ArrayWriter, open_arrays
from tenantry.errors import ModelFileError
from tenantry.models.card import PooledPart
from tenantry.packed.columns import Lookup
from tenantry.packed.forest import Forest
from tenantry.packed.linear import PackedLinear
from tenantry.packed.model import PackedModel, Part
from tenantry.packed.trees import PackedTrees

_MAGIC = b"tenantry packed 1\n"
_NUMBERS = ("weight", "slope", "intercept")
_LINEAR = ("fill", "mean", "scale", "coefficients")
_FOREST = ("roots", "feature", "threshold", "left", "right", "missing_left", "cover")


Read = TypeVar("Read")


def write_part(part: Part) -> bytes:
    """Write a packed pipeline, as the pooled one; equal parts give equal bytes."""
    writer = ArrayWriter(_MAGIC)
    return writer.file({"part": _part_header(part, writer)})


def read_part(content: bytes) -> Part:
    """Read what `write_part` wrote; the arrays are views of its bytes.

    Raises:
        ModelFileError: It is no such file.
    """
    return _read(content, lambda header, arrays: _part(header["part"], arrays))


def write_model(model: PackedModel, pooled: PooledPart | None = None) -> bytes:
    """Write a tenant's packed model without its pooled part; equal models give equal bytes.

    Args:
        model: The model.
        pooled: Which pooled model it stands on, and the digest of that one's packed file.
    """
    writer = ArrayWriter(_MAGIC)
    header: dict[str, Any] = {name: getattr(model, name) for name in _NUMBERS}
    header |= {"form": model.form, "task": model.task}
    header["pooled"] = pooled.model_dump() if pooled is not None else None
    header["own"] = _part_header(model.own, writer) if model.own is not None else None
    header["leaves"] = writer.place(model.leaves) if model.leaves is not None else None
    return writer.file(header)


def read_model(content: bytes, pooled: Part | None) -> PackedModel:
    """Read what `write_model` wrote; the arrays are views of its bytes.

    Args:
        content: The file's bytes.
        pooled: The pooled part that the model stands on; None where it has none.

    Raises:
        ModelFileError: It is no such file, or does not fit the pooled part.
    """

    def build(header: dict[str, Any], arrays: list[NDArray[Any]]) -> PackedModel:
        own = _part(header["own"], arrays) if header["own"] is not None else None
        leaves = arrays[header["leaves"]] if header["leaves"] is not None else None
        numbers = {name: float(header[name]) for name in _NUMBERS}
        model = PackedModel(header["form"], header["task"], own, pooled, leaves, **numbers)
        _ = model.shared  # that the leaf values fit
        return model

    return _read(content, build)


def pooled_part_of(content: bytes) -> PooledPart | None:
    """Return which packed pooled part a tenant's file stands on; None where it has none.

    Raises:
        ModelFileError: It is no such file.
    """

    def find(header: dict[str, Any], _: list[NDArray[Any]]) -> PooledPart | None:
        part = header["pooled"]
        return PooledPart.model_validate(part) if part is not None else None

    return _read(content, find)


def _part_header(part: Part, writer: ArrayWriter) -> dict[str, Any]:
    lookups = [
        {
            "name": lookup.name,
            "levels": list(lookup.values),
            "values": writer.place(np.array(list(lookup.values.values()), dtype=np.float64)),
            "other": lookup.other,
        }
        for lookup in part.lookups
    ]
    header: dict[str, Any] = {"names": part.names, "lookups": lookups}
    if isinstance(part, PackedLinear):
        arrays = {name: writer.place(getattr(part, name)) for name in _LINEAR}
        centre = writer.place(part.centre)
        return header | arrays | {"kind": "linear", "intercept": part.intercept, "centre": centre}
    arrays = {name: writer.place(getattr(part.forest, name)) for name in _FOREST}
    values = writer.place(part.values)
    return header | arrays | {"kind": "trees", "baseline": part.baseline, "values": values}


def _part(header: dict[str, Any], arrays: list[NDArray[Any]]) -> Part:
    names = tuple(map(str, header["names"]))
    lookups = tuple(_lookup(item, arrays) for item in header["lookups"])
    if header["kind"] == "linear":
        terms, centre = {name: arrays[header[name]] for name in _LINEAR}, arrays[header["centre"]]
        is_whole = all(term.shape == (len(names),) for term in terms.values())
        if not is_whole or centre.shape != (len(names) + len(lookups),):
            msg = "a linear model's arrays do not fit its names"
            raise ValueError(msg)
        intercept = float(header["intercept"])
        return PackedLinear(intercept, names, **terms, lookups=lookups, centre=centre)
    forest = Forest(**{name: arrays[header[name]] for name in _FOREST})
    values = arrays[header["values"]]
    features = len(names) + len(lookups)
    is_known = (forest.feature >= 0) & (forest.feature < features)
    if values.shape != forest.feature.shape or not is_known.all():
        msg = "the trees' values or features do not fit their nodes"
        raise ValueError(msg)
    return PackedTrees(float(header["baseline"]), names, lookups, forest, values)


def _lookup(header: dict[str, Any], arrays: list[NDArray[Any]]) -> Lookup:
    levels = map(str, header["levels"])
    values = dict(zip(levels, arrays[header["values"]].tolist(), strict=True))
    return Lookup(str(header["name"]), values, float(header["other"]))


def _read(content: bytes, build: Callable[[dict[str, Any], list[NDArray[Any]]], Read]) -> Read:
    try:
        header, arrays = open_arrays(content, _MAGIC)
        return build(header, arrays)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, RecursionError) as error:
        msg = f"not a packed model ({type(error).__name__}); promote again"
        raise ModelFileError(msg) from error
