"""What differs between two specs, or two fleets of them, field by field."""

import json
from collections.abc import Iterator
from typing import Literal

from tenantry.records import Record
from tenantry.specs.load import Fleet
from tenantry.specs.model import Spec

Value = str | int | float | None
"""What a spec or a model says of a property; None when it says nothing."""

ChangeKind = Literal["added", "removed", "retired", "paused", "resumed", "changed"]


class FieldChange(Record):
    """A field that two specs give different values.

    Attributes:
        path: The dotted path.
        before: Its value in the first; None where it has none.
        after: Its value in the second; None where it has none.
    """

    path: str
    before: Value
    after: Value

    @property
    def words(self) -> str:
        """The change in words."""
        if self.before is None:
            return f"{self.path}: {_shown(self.after)} is new"
        if self.after is None:
            return f"{self.path}: {_shown(self.before)} is gone"
        return f"{self.path}: {_shown(self.before)} → {_shown(self.after)}"


class SpecChange(Record):
    """What became of a tenant's spec.

    Attributes:
        kind: `added`, `removed`, `retired`, `paused`, `resumed` or `changed` otherwise.
        fields: What differs, by path; empty for an added or a removed one.
    """

    kind: ChangeKind
    fields: tuple[FieldChange, ...] = ()


def find_changes(before: Fleet | None, after: Fleet) -> dict[str, SpecChange]:
    """Return the tenants whose specs differ between two fleets, by name.

    Args:
        before: The first, as the run's region sees it; None where the product did not exist.
        after: The second.
    """
    old, new = before.specs if before else {}, after.specs
    pairs = ((name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys()))
    return {name: change for name, *pair in pairs if (change := compare_specs(*pair))}


def compare_specs(before: Spec | None, after: Spec | None) -> SpecChange | None:
    """Return what became of a spec; None when nothing did."""
    if before == after and (before is None or after is None or _same_order(before, after)):
        return None
    if before is None or after is None:
        return SpecChange(kind="added" if before is None else "removed")
    leaves = [dict(value_leaves(spec.model_dump(mode="json"))) for spec in (before, after)]
    for spec, values in zip((before, after), leaves, strict=True):
        values["model.candidates, in order"] = ", ".join(spec.model.candidates)
    paths = [
        path
        for path in sorted(leaves[0].keys() | leaves[1].keys())
        if leaves[0].get(path) != leaves[1].get(path)
        and {leaves[0].get(path), leaves[1].get(path)} != {None, ""}  # nothing is said in both
    ]
    told = [path for path in paths if not (path.startswith("pooled.") and path[7:] in paths)]
    fields = tuple(
        FieldChange(path=path, before=leaves[0].get(path), after=leaves[1].get(path))
        for path in told
    )
    return SpecChange(kind=_kind(before, after), fields=fields)


def value_leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Value]]:
    """Yield the values of plain data by dotted path; a list of scalars is one, as JSON."""
    if isinstance(value, dict) and value:
        for name, part in sorted(value.items()):
            yield from value_leaves(part, (*path, name))
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        for place, part in enumerate(value):
            yield from value_leaves(part, (*path, str(place)))
    elif value is None or isinstance(value, str | int | float):
        yield ".".join(path), value
    else:
        yield ".".join(path), json.dumps(value, ensure_ascii=False)


def _same_order(before: Spec, after: Spec) -> bool:
    """Whether the order of preference of the candidates is the same; maps are equal without it."""
    return tuple(before.model.candidates) == tuple(after.model.candidates)


def _kind(before: Spec, after: Spec) -> ChangeKind:
    if before.state == after.state:
        return "changed"
    kinds: dict[str, ChangeKind] = {
        "active": "resumed",
        "paused": "paused",
        "retired": "retired",
    }
    return kinds[after.state]


def _shown(value: Value) -> str:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
