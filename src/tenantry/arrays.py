"""Arrays in a file: a line that says of what, a header in JSON, and arrays; nothing is executed."""

import json
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES = ("<f8", "<i8", "<i4", "<u8", "|u1", "|b1")
_ALIGNED = 8
_LENGTH = 8
"""Bytes that say how long the header is."""


@dataclass
class ArrayWriter:
    """Gathers arrays for a file whose header names them by their number.

    Attributes:
        magic: The file's first line.
        arrays: What was gathered.
    """

    magic: bytes
    arrays: list[NDArray[Any]] = field(default_factory=list)

    def place(self, array: NDArray[Any]) -> int:
        """Take an array of one dimension; return its number."""
        self.arrays.append(np.ascontiguousarray(array))
        return len(self.arrays) - 1

    def file(self, header: dict[str, Any]) -> bytes:
        """Return the file; equal headers and arrays give equal bytes.

        Raises:
            ValueError: The header holds NaN or an infinity.
        """
        kinds = [[array.dtype.str, len(array)] for array in self.arrays]
        text = json.dumps(header | {"arrays": kinds}, separators=(",", ":"), allow_nan=False)
        encoded = text.encode()
        encoded += b" " * (-(len(self.magic) + _LENGTH + len(encoded)) % _ALIGNED)
        parts = [self.magic, len(encoded).to_bytes(_LENGTH, "little"), encoded]
        for array in self.arrays:
            written = array.tobytes()
            parts += [written, bytes(-len(written) % _ALIGNED)]
        return b"".join(parts)


def open_arrays(content: bytes, magic: bytes) -> tuple[dict[str, Any], list[NDArray[Any]]]:
    """Return header and arrays of what `ArrayWriter` wrote; the arrays are views of the bytes.

    Raises:
        ValueError: The bytes are not such a file.
    """
    start = len(magic) + _LENGTH
    length = int.from_bytes(content[len(magic) : start], "little")
    if not content.startswith(magic) or start + length > len(content):
        msg = "another kind of file"
        raise ValueError(msg)
    header = json.loads(content[start : start + length])
    arrays, place = [], start + length
    for kind, size in header["arrays"]:
        if kind not in _TYPES or type(size) is not int or size < 0:
            msg = "an array of another type or size"
            raise ValueError(msg)
        arrays.append(np.frombuffer(content, dtype=kind, count=size, offset=place))
        place += math.ceil(arrays[-1].nbytes / _ALIGNED) * _ALIGNED
    if place != len(content):
        msg = "the arrays are not as long as the file"
        raise ValueError(msg)
    return header, arrays
