"""Digests of canonical content: the identity of specs, snapshots and models."""

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Write `value` as the one JSON text that equal values share.

    Keys are sorted, there is no white space, non-ASCII stays as it is, NaN is refused.

    Raises:
        ValueError: `value` holds NaN or an infinity.
    """
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def sha256(content: bytes) -> str:
    """Return the SHA-256 of `content`, 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return the SHA-256 of the canonical JSON of `value`, 64 hex digits."""
    return sha256(canonical_json(value))
