"""Read one YAML file as plain data, with every fault of its form.

The syntax is libyaml's, the meaning of scalars that of YAML 1.2's core schema: `no` is text, `010`
is ten, dates are text. Duplicate keys, anchors, tags and keys that are no text are faults: a spec
has one reading only.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from tenantry.errors import Fault, SpecError

MAX_BYTES = 1 << 20
"""A spec is a page or two; whatever is larger than this is no spec."""

_CORE = "tag:yaml.org,2002:"
_RESOLVERS = (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 - PyYAML's own shape


for _tag, _pattern, _first in _RESOLVERS:
    _characters = ["" if character == "\0" else character for character in _first]
    _Loader.add_implicit_resolver(_CORE + _tag, re.compile(f"(?:{_pattern})$"), _characters)


class _Dumper(yaml.SafeDumper):  # type: ignore[misc] # yaml has no types
    """Writes text in quotes where either version of YAML would read something else."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own shape
        first: [*listed] for first, listed in yaml.SafeDumper.yaml_implicit_resolvers.items()
    }


for _tag, _pattern, _first in _RESOLVERS:
    _characters = ["" if character == "\0" else character for character in _first]
    _Dumper.add_implicit_resolver(_CORE + _tag, re.compile(f"(?:{_pattern})$"), _characters)


def write_document(document: Mapping[str, Any]) -> str:
    """Write plain data as YAML that `parse_document` reads as the same, a field a line or more.

    The innermost maps and lists are on one line each.
    """
    return "".join(_write_field(name, value) for name, value in document.items())


def _write_field(name: str, value: Any) -> str:  # noqa: ANN401 - plain data
    is_nested = isinstance(value, dict | list) and value
    text = yaml.dump(
        {name: value},
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=None if is_nested else False,
        allow_unicode=True,
        width=100,
    )
    return str(text)


def read_document(path: Path, place: str) -> dict[str, Any]:
    """Read a YAML file that holds one map.

    Args:
        path: The file.
        place: What faults call it, e.g. ``arrival-delay/ua.yaml``.

    Returns:
        Maps, lists, text, numbers, booleans and None.

    Raises:
        SpecError: All faults of the file's form, placed as ``<place>: line 3``.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise SpecError([Fault(place, "there is no such file", "write it")]) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SpecError([Fault(place, f"cannot be read: {reason}")]) from None
    if len(content) > MAX_BYTES:
        raise SpecError([Fault(place, f"is larger than {MAX_BYTES >> 20} MiB", "make it smaller")])
    return parse_document(content, place)


def parse_document(content: bytes, place: str) -> dict[str, Any]:
    """Read YAML text that holds one map; as `read_document`.

    Raises:
        SpecError: All faults of the text's form.
    """
    try:
        root = yaml.compose(content, Loader=_Loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise SpecError([_syntax_fault(error, place)]) from None
    if root is None:
        raise SpecError([Fault(place, "is empty", "write at least apiVersion and a name")])
    reader = _Reader(place)
    document = reader.read(root)
    if not reader.faults and not isinstance(document, dict):
        reader.fault(root, "is not a map", "write `name: value` lines")
    if reader.faults:
        raise SpecError(reader.faults)
    return dict(document)


def _syntax_fault(error: Exception, place: str) -> Fault:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    where = f"{place}: line {mark.line + 1}" if mark else place
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "nested too deep"
    return Fault(where, f"is not YAML: {problem}", "check indentation, quotes and colons")


class _Reader:
    """Turns composed nodes into plain data and gathers faults on the way."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.faults: list[Fault] = []
        self._seen: set[int] = set()

    def fault(self, node: yaml.Node, fault: str, remedy: str = "") -> None:
        self.faults.append(Fault(f"{self.place}: line {node.start_mark.line + 1}", fault, remedy))

    def read(self, node: yaml.Node) -> Any:  # noqa: ANN401 - plain data
        if id(node) in self._seen:
            self.fault(node, "an anchor is used twice", "write the value out")
            return None
        self._seen.add(id(node))
        kind = node.tag.removeprefix(_CORE)
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return self._read_map(node)
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            return [self.read(item) for item in node.value]
        if isinstance(node, yaml.ScalarNode):
            return self._read_scalar(node, kind)
        self.fault(node, f"the tag {node.tag[:40]!r} is not known", "leave it out")
        return None

    def _read_map(self, node: yaml.MappingNode) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.read(key_node)
            if not isinstance(key, str):
                self.fault(key_node, "a key is not text", "put it in quotes")
            elif key in found:
                self.fault(key_node, f"{key!r} is there twice", "keep one of them")
            else:
                found[key] = self.read(value_node)
        return found

    def _read_scalar(self, node: yaml.ScalarNode, kind: str) -> Any:  # noqa: ANN401
        text = node.value
        if kind not in _VALUES:
            self.fault(node, f"the tag {node.tag[:40]!r} is not known", "leave it out")
            return None
        try:
            return _VALUES[kind](text)
        except (ValueError, KeyError):
            self.fault(node, f"{text[:40]!r} is no {kind}", "leave the tag out, or fix the value")
            return None


_VALUES: dict[str, Callable[[str], Any]] = {
    "str": str,
    "null": lambda _: None,
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
    "int": lambda text: int(text, 0 if text[:2] in ("0o", "0x") else 10),
    "float": lambda text: float(re.sub(r"\.(inf|nan)$", r"\1", text.lower())),
}
"""Core type → how its text is read."""
