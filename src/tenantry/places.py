"""What a key in the store stands for: the way back from `tenantry.layout`."""

import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

PlaceKind = Literal[
    "chunk",
    "origin",
    "snapshot",
    "features",
    "model",
    "prediction",
    "served",
    "judgement",
    "event",
    "collection",
    "serving",
    "champion",
    "pooled_pointer",
    "pooled",
    "run",
]
"""What objects are of."""

_TENANT = r"tenants/(?P<product>[^/]+)/(?P<tenant>[^/]+)"
_SHA = r"(?P<name>[0-9a-f]{64})"
_PART = r"(/(?P<part>.*))?"
_PATTERNS: dict[PlaceKind, str] = {
    "chunk": rf"{_TENANT}/snapshots/chunks/{_SHA}\.parquet",
    "origin": rf"{_TENANT}/snapshots/{_SHA}/sources/(?P<part>[^/]+)\.json",
    "snapshot": rf"{_TENANT}/snapshots/{_SHA}{_PART}",
    "features": rf"{_TENANT}/features/{_SHA}\.parquet",
    "model": rf"{_TENANT}/models/(?P<name>[^/]+){_PART}",
    "prediction": rf"{_TENANT}/predictions/(?P<name>[^/]+/[^/]+){_PART}",
    "served": rf"{_TENANT}/served/(?P<name>[^/]+/[^/]+/[0-9a-f]{{64}})\.(?P<part>parquet|json)",
    "judgement": rf"{_TENANT}/monitoring/(?P<name>[^/]+){_PART}",
    "event": rf"{_TENANT}/events/(?P<name>[^/]+)\.json",
    "collection": rf"{_TENANT}/collections/(?P<name>[^/]+)\.json",
    "serving": rf"{_TENANT}/serving/{_SHA}\.(?P<part>json|online)",
    "champion": rf"{_TENANT}/(?P<name>champion)\.json",
    "pooled_pointer": r"products/(?P<product>[^/]+)/pooled/(?P<zone>[^/]+)/(?P<name>pooled)\.json",
    "pooled": rf"products/(?P<product>[^/]+)/pooled/(?P<zone>[^/]+)/(?P<name>[^/]+){_PART}",
    "run": rf"runs/(?P<name>[^/]+){_PART}",
}
_COMPILED = {kind: re.compile(_PATTERNS[kind]) for kind in get_args(PlaceKind)}


@dataclass(frozen=True)
class Place:
    """What a key stands for.

    Attributes:
        kind: What the object is of.
        key: The key, as given, without a slash at its end.
        name: What tells it from others of its kind: a digest, a version, a window, a run; of
            predictions ``<window>/<model>-<snapshot>``, of served ones
            ``<window>/<model>/<digest>``.
        part: Which object of the thing it is; empty for the thing as a whole.
        product: The product; empty for a run.
        tenant: The tenant; empty for pooled models and runs.
        zone: The residency zone of a pooled model.
    """

    kind: PlaceKind
    key: str
    name: str
    part: str = ""
    product: str = ""
    tenant: str = ""
    zone: str = ""


def parse_key(key: str) -> Place | None:
    """Return what an object's key, or the folder of a thing, stands for; None for any other."""
    key = key.rstrip("/")
    for kind, pattern in _COMPILED.items():
        if match := pattern.fullmatch(key):
            found = {name: value or "" for name, value in match.groupdict().items()}
            return Place(kind=cast("PlaceKind", kind), key=key, **found)
    return None
