"""Say pydantic's errors in the words of a spec: `gate.min_rows: -5 is not ≥ 0`."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from tenantry.errors import Fault
from tenantry.specs.parts import COLUMN_NAME, CONNECTION_NAME, DNS_LABEL, VARIABLE_NAME
from tenantry.specs.paths import Location, dotted, find_fields, nearest

Part = TypeVar("Part", bound=BaseModel)

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "string": "text",
    "bool": "true or false",
    "dict": "a map",
    "model": "a map",
    "tuple": "a list",
}
"""First word of a pydantic error type → what the value should have been."""

_WORDS = {
    "greater_than_equal": "{value} is not ≥ {ge}",
    "greater_than": "{value} is not > {gt}",
    "less_than_equal": "{value} is not ≤ {le}",
    "less_than": "{value} is not < {lt}",
    "literal_error": "{value} is not one of {expected}",
    "string_too_long": "is longer than {max_length} characters",
    "string_too_short": "is shorter than {min_length} characters",
    "too_short": "has {actual_length} of at least {min_length} entries",
    "value_error": "{error}",
    "union_tag_invalid": "'{tag}' is not one of {expected_tags}",
    "union_tag_not_found": "is missing",
    "missing": "is missing",
}

_PATTERNS = {
    DNS_LABEL: (
        "{value} is not a DNS label",
        "use lower-case letters, digits and '-', at most 63",
    ),
    COLUMN_NAME: (
        "{value} is not a column's name",
        "use letters, digits and '_', a letter first, at most 63",
    ),
    CONNECTION_NAME: (
        "{value} is not a connection's name",
        "use lower-case letters, digits, '-' and {region}, at most 63",
    ),
    VARIABLE_NAME: (
        "is not the name of an environment variable",
        "write its name, never its value",
    ),
}


def quoted(value: object) -> str:
    """Return a value as it can stand in a message: short, on one line, nothing unprintable."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def find_faults(
    model: type[BaseModel], data: Mapping[str, Any], error: ValidationError
) -> dict[Location, Fault]:
    """Return the faults of `data` by location; places are dotted paths without the file.

    Args:
        model: What `data` should be.
        data: Plain data, as the file or the merge gave them.
        error: What pydantic says about them.
    """
    found: dict[Location, Fault] = {}
    options: dict[Location, list[str]] = {}
    for detail in error.errors(include_url=False):
        location = _locate(detail, data)
        said = detail["type"] in _WORDS or detail["type"] == "string_pattern_mismatch"
        kind = None if said else _KINDS.get(detail["type"].partition("_")[0])
        if kind:
            options.setdefault(location, []).append(kind)
        found.setdefault(location, _say(model, data, location, detail))
    for location, kinds in options.items():
        value = quoted(_value_at(data, location))
        nouns = " or ".join(dict.fromkeys(kinds))
        found[location] = Fault(dotted(location), f"{value} is not {nouns}")
    return found


def read_parts(model: type[Part], data: Mapping[str, Any]) -> tuple[Part, dict[Location, Fault]]:
    """Return `data` as a model and what is wrong with them.

    Where something is wrong, the model lacks the top-level fields concerned and holds the others,
    so that these can be checked further.
    """
    try:
        return model.model_validate(data), {}
    except ValidationError as error:
        found = find_faults(model, data, error)
    broken = {location[0] for location in found}
    sound = {
        name: TypeAdapter(field.rebuild_annotation()).validate_python(data[name])
        for name, field in model.model_fields.items()
        if name in data and name not in broken
    }
    return model.model_construct(**sound), found


def _locate(detail: ErrorDetails, data: Any) -> Location:  # noqa: ANN401 - plain data
    """Drop what pydantic puts between the parts of a path: tags and types of unions."""
    location: list[str | int] = []
    parts = detail["loc"]
    for place, part in enumerate(parts):
        if isinstance(data, Mapping) and part in data:
            data = data[str(part)]
        elif isinstance(data, list) and isinstance(part, int):
            data = data[part]
        elif detail["type"] != "missing" or place + 1 < len(parts):
            continue
        location.append(part)
    if detail["type"].startswith("union_tag"):
        location.append(str(detail["ctx"]["discriminator"]).strip("'"))
    return tuple(location)


def _value_at(data: Any, location: Iterable[str | int]) -> Any:  # noqa: ANN401 - plain data
    for part in location:
        data = data[part]
    return data


def _say(
    model: type[BaseModel], data: Mapping[str, Any], location: Location, detail: ErrorDetails
) -> Fault:
    place, context = dotted(location), detail.get("ctx", {})
    if detail["type"] == "extra_forbidden":
        return _unknown_field(model, data, location)
    if detail["type"] == "string_pattern_mismatch":
        words, remedy = _PATTERNS[context["pattern"]]
        return Fault(place, words.format(value=quoted(detail["input"])), remedy)
    words = _WORDS.get(detail["type"], detail["msg"])
    return Fault(place, words.format(value=quoted(detail["input"]), **context))


def _unknown_field(model: type[BaseModel], data: Mapping[str, Any], location: Location) -> Fault:
    *above, name = location
    fields = find_fields(model, above)
    names = fields.names if fields else ()
    kind = _value_at(data, above).get("kind")
    if name in names:
        remedy = f"remove it (`{name}: null` when it comes from the product)"
        fault = f"is no field of a {kind} feature" if kind else "does not go with its neighbours"
        return Fault(dotted(location), fault, remedy)
    return Fault(dotted(location), "there is no such field", suggest(str(name), names))


def suggest(name: str, names: Iterable[str]) -> str:
    """Return a remedy for a name that is not there: the nearest one, or all there are."""
    known = tuple(names)
    near = nearest(name, known)
    if near:
        return f"did you mean {near}?"
    return f"choose from {', '.join(known)}" if known else "remove it"


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that are there more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


def place_in(file: str, faults: Iterable[Fault]) -> Iterator[Fault]:
    """Yield faults with the file before their path."""
    for fault in faults:
        yield Fault(f"{file}: {fault.place}" if fault.place else file, fault.fault, fault.remedy)
