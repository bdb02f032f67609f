"""A request's raw fields, read as the contract says; every fault of a request is told at once.

Faults name a field and what is wrong with it. They never quote a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from tenantry.errors import Fault, FieldsError
from tenantry.scalars import FAULTS, Value, read_value
from tenantry.serving.records import ServingRecord
from tenantry.specs.data import Column

Fields = Mapping[str, object]
"""Field → raw value, as JSON gives it."""

_LONGEST = 60
"""Characters of an unknown field's name that a fault repeats."""


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
        faults = [
            Fault(_shown(name), "not a field of this product")
            for name in raw
            if name not in self.columns
        ]
        for name, column in self.columns.items():
            if name not in raw and name in self.joined:
                continue
            try:
                value = read_value(raw.get(name), column.type)
            except ValueError:
                faults.append(Fault(name, FAULTS[column.type]))
                values[name] = None
                continue
            if name in self.bound:
                value = self._bound(name, value, faults)
            fault = find_fault(value, column)
            if fault:
                faults.append(Fault(name, fault))
            values[name] = value
        return values, faults

    def _bound(self, name: str, value: Value, faults: list[Fault]) -> Value:
        own = read_value(self.bound[name], self.columns[name].type)
        if value is not None and value != own:
            faults.append(Fault(name, "not this tenant's"))
        return own


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
