"""Whether the data that a spec declares is there: sources, columns, times, the label."""

import re
from collections.abc import Iterator

from tenantry.errors import Fault
from tenantry.specs.data import Column, KnownAt, Label, Source
from tenantry.specs.faults import quoted, repeated, suggest
from tenantry.specs.model import Declared

Found = Iterator[Fault]

_NUMBERS = ("number", "integer")


def check_sources(spec: Declared) -> Found:
    """Yield what is wrong with the sources: paths, names, and what joins need and bring."""
    sources: tuple[tuple[str, Source], ...] = (
        *((f"sources.rows[{n}]", source) for n, source in enumerate(spec.sources.rows)),
        *((f"sources.joins[{n}]", source) for n, source in enumerate(spec.sources.joins)),
    )
    for place, source in sources:
        parts = source.path.split("/")
        if not source.path.isprintable() or not source.path:
            yield Fault(f"{place}.path", f"{quoted(source.path)} is no path or table")
        elif source.kind != "sql" and (".." in parts or parts[0] == ""):
            remedy = "write it relative to the connection, without `..`"
            yield Fault(f"{place}.path", f"{quoted(source.path)} leaves the connection", remedy)
    for name in repeated(source.name for _, source in sources):
        yield Fault("sources", f"two sources are called {name!r}", "rename one of them")
    yield from _check_joins(spec)


def _check_joins(spec: Declared) -> Found:
    joins = spec.sources.joins
    for n, join in enumerate(joins):
        place = f"sources.joins[{n}]"
        if not join.on:
            yield Fault(f"{place}.on", "is empty", "name at least one column that must be equal")
        for column in join.on:
            yield from _must_be_declared(spec, column, f"{place}.on")
    for column in repeated(column for join in joins for column in join.columns):
        yield Fault("sources.joins", f"two joins bring {column!r}", "take it from one of them")


def check_row_filter(spec: Declared) -> Found:
    """Yield what is wrong with the pattern that tells a tenant's rows by its name."""
    place = "row_filter.pattern"
    try:
        pattern = re.compile(spec.row_filter.pattern)
    except (re.error, RecursionError, OverflowError) as error:
        yield Fault(place, f"is no regular expression: {error}", "see Python's `re`")
        return
    if not pattern.groupindex:
        remedy = "write e.g. (?P<carrier>.+) to say which column holds which part of the name"
        yield Fault(place, "has no named group", remedy)
    for column in pattern.groupindex:
        yield from _must_be_declared(spec, column, place)


def check_key(spec: Declared) -> Found:
    """Yield what is wrong with the columns that tell rows apart."""
    for column in spec.key:
        yield from _must_be_declared(spec, column, "key")
    for column in repeated(spec.key):
        yield Fault("key", f"{column!r} is there twice", "keep one of them")


def check_times(spec: Declared) -> Found:
    """Yield what is wrong with the three times of a row."""
    yield from _must_be_time(spec, spec.times.event_time, "times.event_time")
    for name, known, span in (
        ("known_at", spec.times.known_at, "lead"),
        ("label_known_at", spec.times.label_known_at, "delay"),
    ):
        place = f"times.{name}"
        given = [form for form in KnownAt.model_fields if getattr(known, form) is not None]
        if len(given) != 1 or given[0] not in ("column", span):
            fault = f"has {' and '.join(given) or 'nothing'} where it needs one of column, {span}"
            yield Fault(place, fault, "remove a form of the product's with `: null`")
        elif known.column is not None:
            yield from _must_be_time(spec, known.column, f"{place}.column")


def check_contract(spec: Declared) -> Found:
    """Yield what is wrong with the columns' types, bounds and categories."""
    for name, column in spec.contract.columns.items():
        place = f"contract.columns.{name}"
        bounded = column.min is not None or column.max is not None
        if bounded and column.type not in _NUMBERS:
            yield Fault(place, f"has min or max but its type is {column.type}", "remove them")
        elif column.min is not None and column.max is not None and column.min > column.max:
            yield Fault(place, f"min {column.min:g} is above max {column.max:g}")
        if column.categories is None:
            continue
        where = f"{place}.categories"
        if column.type not in ("category", "text"):
            yield Fault(where, f"is for categories but the type is {column.type}", "remove it")
        elif not column.categories or not all(map(str.isprintable, column.categories)):
            yield Fault(where, "is empty or holds unprintable text", "list the values allowed")


def check_label(spec: Declared) -> Found:
    """Yield what is wrong with the label: its column, its task, and what makes it yes."""
    label, place = spec.label, "label.column"
    yield from _must_be_declared(spec, label.column, place)
    column = spec.contract.columns.get(label.column)
    if column is None:
        return
    if label.task == "multiclass":
        yield from _check_classes(label, column)
        return
    is_flag = column.type == "boolean" or (column.min, column.max) == (0, 1)
    if column.type not in (*_NUMBERS, "boolean"):
        yield Fault(place, f"{label.column!r} is of type {column.type}", "a label is a number")
    elif label.task == "regression" and label.above is not None:
        yield Fault("label.above", "makes no sense for regression", "remove it, or the task")
    elif label.task == "classification" and label.above is None and not is_flag:
        remedy = "write the number above which the label is yes, or declare min: 0 and max: 1"
        yield Fault("label.above", f"is missing, and {label.column!r} is not yes or no", remedy)


def _check_classes(label: Label, column: Column) -> Found:
    if label.above is not None:
        yield Fault("label.above", "makes no sense for multiclass", "remove it, or the task")
    if len(set(column.categories or ())) < 3:
        place = f"contract.columns.{label.column}.categories"
        yield Fault(place, "names fewer than 3 classes", "list all classes, in an order that stays")


def _must_be_declared(spec: Declared, column: str, place: str) -> Found:
    columns = spec.contract.columns
    if column not in columns:
        near = suggest(column, columns)
        remedy = near if near.startswith("did") else "declare it in contract.columns"
        yield Fault(place, f"there is no column {column!r} in the contract", remedy)


def _must_be_time(spec: Declared, column: str, place: str) -> Found:
    yield from _must_be_declared(spec, column, place)
    declared = spec.contract.columns.get(column)
    if declared and declared.type != "time":
        yield Fault(place, f"{column!r} is of type {declared.type}", "declare its type as time")
