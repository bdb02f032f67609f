"""A request's raw fields, read as the contract says; every fault of a request is told at once.

Faults name a field and what is wrong with it. They never quote a value.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple, Self

from tenantry.errors import Fault, FieldsError
from tenantry.scalars import FAULTS, Value, read_value, reader_of
from tenantry.serving.records import ServingRecord
from tenantry.specs.data import Column

Fields = Mapping[str, object]
"""Field → raw value, as JSON gives it."""

_LONGEST = 60
"""Characters of an unknown field's name that a fault repeats."""


class _Reading(NamedTuple):
    """How a column is read.

    Attributes:
        name: Its name.
        column: What it must look like.
        read: What reads a raw value.
        is_joined: Whether it is looked up where a request leaves it out.
        is_bound: Whether it is the same in every row.
        is_limited: Whether a value that can be read may still be wrong.
    """

    name: str
    column: Column
    read: Callable[[object], Value]
    is_joined: bool
    is_bound: bool
    is_limited: bool


@dataclass(frozen=True)
class FieldReader:
    """Reads requests of one tenant.

    Attributes:
        columns: What fields must look like, by name.
        bound: Fields that are the same in every row of the tenant.
        joined: Fields that are looked up where a request leaves them out.
    """

    columns: Mapping[str, Column]
    bound: Mapping[str, str]
    joined: frozenset[str]

    @classmethod
    def of(cls, record: ServingRecord) -> Self:
        """Return the reader of a serving record."""
        joined = frozenset(name for join in record.joins for name in join.columns)
        return cls(record.columns, record.bound, joined)

    def read(self, raw: Fields) -> tuple[dict[str, Value], list[Fault]]:
        """Read all fields, those that a request leaves out as missing.

        Args:
            raw: The request's.

        Returns:
            Every column's value, and what is wrong, by name. Columns that are looked up are not
            among the values where the request leaves them out, and are not found missing.
        """
        values: dict[str, Value] = {}
        faults = self._unknown(raw) if not raw.keys() <= self.columns.keys() else []
        get = raw.get
        for name, column, read, is_joined, is_bound, is_limited in self._readings:
            if is_joined and name not in raw:
                continue
            try:
                value = read(get(name))
            except ValueError:
                faults.append(Fault(name, FAULTS[column.type]))
                values[name] = None
                continue
            if is_bound:
                value = self._bound(name, value, faults)
            if is_limited and (fault := find_fault(value, column)):
                faults.append(Fault(name, fault))
            values[name] = value
        return values, faults

    @cached_property
    def _readings(self) -> tuple[_Reading, ...]:
        return tuple(
            _reading_of(name, column, name in self.joined, name in self.bound)
            for name, column in self.columns.items()
        )

    def _unknown(self, raw: Fields) -> list[Fault]:
        fault = "not a field of this product"
        return [Fault(_shown(name), fault) for name in raw if name not in self.columns]

    def _bound(self, name: str, value: Value, faults: list[Fault]) -> Value:
        own = read_value(self.bound[name], self.columns[name].type)
        if value is not None and value != own:
            faults.append(Fault(name, "not this tenant's"))
        return own


@lru_cache(maxsize=1 << 12)
def _reading_of(name: str, column: Column, is_joined: bool, is_bound: bool) -> _Reading:
    """Return how a column is read, the same object for all tenants that read it so."""
    return _Reading(
        name=name,
        column=column,
        read=reader_of(column.type),
        is_joined=is_joined,
        is_bound=is_bound,
        is_limited=_is_limited(column),
    )


def _is_limited(column: Column) -> bool:
    limits = column.min, column.max, column.categories
    return column.required or any(limit is not None for limit in limits)


def find_fault(value: Value, column: Column) -> str:
    """Say what is wrong with a value of the right type, as ingest says it; empty for nothing."""
    if value is None:
        return "missing" if column.required else ""
    if isinstance(value, float):
        if column.min is not None and value < column.min:
            return f"below {column.min:g}"
        if column.max is not None and value > column.max:
            return f"above {column.max:g}"
    if column.categories is not None and value not in column.categories:
        return "not an allowed category"
    return ""


def refuse(faults: list[Fault]) -> None:
    """Raise all faults, if there are any.

    Raises:
        FieldsError: There are.
    """
    if faults:
        raise FieldsError(faults)


def _shown(name: object) -> str:
    text = str(name)[:_LONGEST]
    return text if text.replace("_", "").isalnum() and text.isascii() else "a field"
