"""Dotted paths through a spec, such as `gate.min_rows` and `sources.rows[0].path`."""

import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

Location = tuple[str | int, ...]
"""Keys and indices from the top."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]+")


def shown(name: str) -> str:
    """Return a file's name as it can stand in a message."""
    return name if name.isprintable() else ascii(name)[1:-1]


def dotted(location: Iterable[str | int]) -> str:
    """Write a location as people do; a key with other characters than usual is quoted."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            name = part if _PLAIN.fullmatch(part) else ascii(part[:60])
            path += f".{name}" if path else name
    return path


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return the one of `names` that looks most like `name`, or None."""
    return next(iter(get_close_matches(name, list(names), n=1, cutoff=0.6)), None)


def leaves(patch: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the location of everything that a tenant's file sets or removes, in its order."""
    for name, value in patch.items():
        if value and isinstance(value, dict):
            yield from ((name, *rest) for rest in leaves(value))
        else:
            yield (name,)


class Fields:
    """What may stand at a place of a model: the fields of a part, or any name in a free map.

    Attributes:
        names: The fields; empty below a free map, a list or a scalar.
        free: Whether any name may stand there.
    """

    def __init__(self, *annotations: Any) -> None:  # noqa: ANN401 - type annotations
        self._types = tuple(_unfold(annotations))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of fields, each once, in the models' order."""
        models = (kind for kind in self._types if _is_model(kind))
        return tuple(dict.fromkeys(name for model in models for name in model.model_fields))

    @property
    def free(self) -> bool:
        """Whether this is a map whose keys the writer chooses."""
        return any(typing.get_origin(kind) is dict for kind in self._types)

    def below(self, name: str) -> "Fields | None":
        """Return what may stand below `name`, or None when there is no such place."""
        found = [
            kind.model_fields[name].annotation
            for kind in self._types
            if _is_model(kind) and name in kind.model_fields
        ]
        maps = (kind for kind in self._types if typing.get_origin(kind) is dict)
        found += [typing.get_args(kind)[1] for kind in maps]
        return Fields(*found) if found else None

    def item(self) -> "Fields | None":
        """Return what may stand below an item of a list, or None when this is no list."""
        tuples = (kind for kind in self._types if typing.get_origin(kind) is tuple)
        found = [typing.get_args(kind)[0] for kind in tuples]
        return Fields(*found) if found else None


def find_fields(model: type[BaseModel], location: Sequence[str | int]) -> Fields | None:
    """Return what may stand below a location of `model`, or None when it is no place at all."""
    fields: Fields | None = Fields(model)
    for part in location:
        if fields is None:
            return None
        fields = fields.item() if isinstance(part, int) else fields.below(part)
    return fields


def _is_model(kind: Any) -> bool:  # noqa: ANN401 - type annotations
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _unfold(annotations: Iterable[Any]) -> Iterator[Any]:
    """Yield the types of unions and annotated types."""
    for annotation in annotations:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            yield from _unfold(typing.get_args(annotation)[:1])
        elif origin in (typing.Union, types.UnionType):
            yield from _unfold(typing.get_args(annotation))
        else:
            yield annotation
