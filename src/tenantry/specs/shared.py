"""Digests of specs whose parts are shared.

Tenants hold the very same objects of what they leave alone, so each part is written as JSON once
and not for each of ten thousand tenants.
"""

from collections.abc import Hashable, Sequence
from typing import TypeVar

from pydantic import BaseModel

from tenantry.digests import canonical_json, sha256

K = TypeVar("K")
V = TypeVar("V")

_MOST = 1024
_DIGESTS: dict[tuple[Hashable, ...], tuple[tuple[object, ...], str]] = {}
"""Identities of parts → the parts, so that their identities stay theirs, and their digest."""

_TEXTS: dict[tuple[str, Hashable], tuple[object, bytes]] = {}
"""Name and identity of a part → the part, and its JSON."""


def parts_digest(spec: BaseModel, names: Sequence[str], more: tuple[str, ...]) -> str:
    """Return the digest of some parts of a spec: of ``[{name: part, …}, more]`` as canonical JSON.

    Args:
        spec: The spec; its parts do not change.
        names: The parts' names, in order.
        more: What else is to make a difference.
    """
    parts = tuple(getattr(spec, name) for name in names)
    key = (more, *map(_identity, parts))
    if key not in _DIGESTS:
        texts = (
            b'"%s":%s' % (name.encode(), _text(spec, name, part))
            for name, part in zip(names, parts, strict=True)
        )
        content = b"[{%s},%s]" % (b",".join(texts), canonical_json(more))
        _remember(_DIGESTS, key, (parts, sha256(content)))
    return _DIGESTS[key][1]


def _text(spec: BaseModel, name: str, part: object) -> bytes:
    key = name, _identity(part)
    if key not in _TEXTS:
        content = canonical_json(spec.model_dump(mode="json", include={name})[name])
        _remember(_TEXTS, key, (part, content))
    return _TEXTS[key][1]


def _identity(part: object) -> Hashable:
    """Return what tells a part from others; maps and lists are copied when a spec is checked."""
    if isinstance(part, dict):
        return tuple((name, id(value)) for name, value in part.items())
    return part if isinstance(part, (str, tuple)) else id(part)


def _remember(known: dict[K, V], key: K, value: V) -> None:
    if len(known) >= _MOST:
        known.clear()
    known[key] = value
