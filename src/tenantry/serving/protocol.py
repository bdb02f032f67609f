"""The two protocols: requests into rows of raw fields, predictions into answers.

Open Inference Protocol v2 (the one of KServe, Triton and MLServer): a tensor a field, of shape
[rows] or [rows, 1]; the binary extension is read, answers are JSON. KServe v1: an object a row.
In both a missing value is null, a time an ISO 8601 text.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from tenantry.serving.refusals import bad_request

Fields = Mapping[str, object]
"""One row of a request: raw field → text, number, truth value or None."""

_PLAIN = frozenset({str, int, float, bool, type(None)})
_NUMBERS = {
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "FP32": "f",
    "FP64": "d",
    "BOOL": "?",
}
"""Datatype → its letter in `struct`, for the binary extension."""
_DATATYPES = frozenset({*_NUMBERS, "BYTES"})
_TEXT = frozenset({str})
_TENSOR = "a tensor has a name, a shape, data and a datatype of the protocol, as FP64 or BYTES"
_SHAPE = "the tensors' shapes are [rows] or [rows, 1], alike, and as long as their data"


class Asked(NamedTuple):
    """What a request asks for.

    Attributes:
        rows: Its rows, at least one.
        id: The client's name for it, repeated in the answer; None without one.
        outputs: The outputs it wants; all where empty.
    """

    rows: Sequence[Fields]
    id: str | None = None
    outputs: frozenset[str] = frozenset()


class Output(NamedTuple):
    """A column of an answer.

    Attributes:
        name: As in the batch's tables: ``probability``, ``decision``, …
        datatype: Of the v2 protocol.
        values: One a row; a list a row where `width` is set.
        width: Values a row, where they are several.
    """

    name: str
    datatype: str
    values: list[Any]
    width: int = 0


def read_v1(body: bytes, most_rows: int) -> Asked:
    """Read ``{"instances": [{field: value, …}, …]}``.

    Raises:
        RefusedError: It is something else, or has too many rows.
    """
    rows = _object(body).get("instances")
    if type(rows) is not list or not rows:
        raise bad_request('the body has no list "instances" of at least one row')
    _check_rows(len(rows), most_rows)
    for row in rows:
        if type(row) is not dict:
            raise bad_request("an instance is an object: field → value")
        if not _PLAIN.issuperset(map(type, row.values())):
            raise bad_request("a field's value is a text, a number, true, false or null")
    return Asked(rows)


def read_v2(body: bytes, most_rows: int, header: int | None = None) -> Asked:
    """Read an inference request of the Open Inference Protocol.

    Args:
        body: The body.
        most_rows: How many rows it may have.
        header: Length of the JSON part, where binary tensors follow.

    Raises:
        RefusedError: It is something else, or has too many rows.
    """
    if header is not None and not 0 <= header <= len(body):
        raise bad_request("Inference-Header-Content-Length does not fit the body")
    content = _object(body if header is None else body[:header])
    tensors = content.get("inputs")
    if type(tensors) is not list or not tensors:
        raise bad_request('the body has no list "inputs" of at least one tensor')
    count = _row_count(tensors[0], most_rows)
    binary = None if header is None else body[header:]
    columns = _listed(tensors, count) if binary is None else _mixed(tensors, count, binary)
    if len(columns) != len(tensors):
        raise bad_request("two tensors have the same name")
    asked = content.get("id")
    outputs = _wanted(content.get("outputs"))
    rows = [_as_row(columns)] if count == 1 else _as_rows(columns)
    return Asked(rows, asked if type(asked) is str else None, outputs)


def write_v1(key: str, rows: list[Any], about: Mapping[str, object]) -> bytes:
    """Write ``{"predictions": […], …}``; `key` is ``predictions`` or ``explanations``."""
    return orjson.dumps({key: rows, **about})


def write_v2(
    name: str, version: str, asked: Asked, outputs: list[Output], about: Mapping[str, object]
) -> bytes:
    """Write an inference response; `about` are its parameters."""
    answer: dict[str, object] = {
        "model_name": name,
        "model_version": version,
        "parameters": about,
        "outputs": [_tensor(one) for one in outputs],
    }
    if asked.id is not None:
        answer["id"] = asked.id
    return orjson.dumps(answer)


def _tensor(one: Output) -> dict[str, object]:
    rows = len(one.values)
    if one.width:
        flat = [value for row in one.values for value in row]
        shape = [rows, one.width]
        return {"name": one.name, "datatype": one.datatype, "shape": shape, "data": flat}
    return {"name": one.name, "datatype": one.datatype, "shape": [rows], "data": one.values}


def _object(body: bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise bad_request("the body is not JSON") from None
    if type(content) is not dict:
        raise bad_request("the body is not a JSON object")
    return content


def _check_rows(rows: int, most: int) -> None:
    if rows > most:
        raise bad_request(f"{rows} rows in one request; at most {most} are taken")
    if rows < 1:
        raise bad_request("the request has no rows")


def _row_count(tensor: object, most: int) -> int:
    """Return how many rows a tensor has."""
    shape = tensor.get("shape") if type(tensor) is dict else None
    if type(shape) is not list or not shape or type(shape[0]) is not int:
        raise bad_request(_SHAPE)
    rows: int = shape[0]
    _check_rows(rows, most)
    return rows


def _listed(tensors: list[Any], rows: int) -> dict[str, list[Any]]:
    """Return the data of tensors in JSON by name, a list of `rows` each.

    Raises:
        RefusedError: One is not well formed, or has another shape.
    """
    columns = {}
    shapes = [rows], [rows, 1]
    try:
        for tensor in tensors:
            data = tensor["data"]
            if tensor["shape"] not in shapes or type(data) is not list or len(data) != rows:
                raise bad_request(_SHAPE)
            if tensor["datatype"] not in _DATATYPES:
                raise bad_request(_TENSOR)
            columns[tensor["name"]] = data
    except (KeyError, TypeError):  # missing, no object, or what cannot be looked up
        raise bad_request(_TENSOR) from None
    if not _TEXT.issuperset(map(type, columns)):
        raise bad_request(_TENSOR)
    return columns


def _mixed(tensors: list[Any], rows: int, content: bytes) -> dict[str, list[Any]]:
    """Return the data of tensors, some of which follow the JSON part, by name; see `_listed`."""
    binary = _Binary(content)
    columns: dict[str, list[Any]] = {}
    for tensor in tensors:
        size = _binary_size(tensor)
        if size is None:
            columns |= _listed([tensor], rows)
        else:
            data = binary.take(size, tensor.get("datatype"), rows)
            columns |= _listed([{**tensor, "data": data}], rows)
    binary.finish()
    return columns


def _binary_size(tensor: object) -> int | None:
    """Return how many bytes a tensor's data are, where they follow the JSON part."""
    parameters = tensor.get("parameters") if type(tensor) is dict else None
    size = parameters.get("binary_data_size") if type(parameters) is dict else None
    if size is not None and (type(size) is not int or size < 0):
        raise bad_request("binary_data_size is a whole number of bytes")
    return size


class _Binary:
    """The data behind the JSON part, tensor by tensor."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    def take(self, size: int, datatype: object, rows: int) -> list[Any]:
        """Return the next tensor's values."""
        if type(datatype) is not str or datatype not in _DATATYPES:
            raise bad_request(_TENSOR)
        end = self._place + size
        values = _decoded(self._content[self._place : end], datatype, rows)
        self._place = end
        return values

    def finish(self) -> None:
        """Refuse bytes that are no tensor's."""
        if self._place != len(self._content):
            raise bad_request("the binary data are not as long as their tensors")


def _decoded(content: bytes, datatype: str, rows: int) -> list[Any]:
    if datatype == "BYTES":
        return [*_texts(content, rows)]
    letter = _NUMBERS[datatype]
    if len(content) != rows * struct.calcsize(f"<{letter}"):
        raise bad_request("binary_data_size does not fit the tensor's shape")
    values = list(struct.unpack(f"<{rows}{letter}", content))
    return [None if value != value else value for value in values]  # noqa: PLR0124 - NaN


def _texts(content: bytes, rows: int) -> Iterator[str]:
    place = 0
    for _ in range(rows):
        size = int.from_bytes(content[place : place + 4], "little")
        place += 4 + size
        if place > len(content):
            break
        try:
            yield content[place - size : place].decode()
        except UnicodeDecodeError:
            raise bad_request("a binary text is not UTF-8") from None
    if place != len(content):
        raise bad_request("binary_data_size does not fit the tensor's shape")


def _as_row(columns: dict[str, list[Any]]) -> Fields:
    """Return the one row of some columns."""
    row = {name: values[0] for name, values in columns.items()}
    if _PLAIN.issuperset(map(type, row.values())):
        return row
    return _as_rows(columns)[0]


def _as_rows(columns: dict[str, list[Any]]) -> list[Fields]:
    """Return the rows of some columns, which may be nested once, as ``[rows, 1]`` may be sent."""
    flat = [_flat(values) for values in columns.values()]
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*flat, strict=True)]


def _flat(values: list[Any]) -> list[Any]:
    if all(type(one) is list and len(one) == 1 for one in values):
        values = [one[0] for one in values]
    if not _PLAIN.issuperset(map(type, values)):
        raise bad_request("a tensor's data are texts, numbers, true, false or null, one a row")
    return values


def _wanted(outputs: object) -> frozenset[str]:
    if outputs is None:
        return frozenset()
    if type(outputs) is list:
        named = [one["name"] for one in outputs if type(one) is dict and "name" in one]
        names = frozenset(name for name in named if type(name) is str)
        if len(names) == len(outputs):
            return names
    raise bad_request('"outputs" is a list of objects with different names')
