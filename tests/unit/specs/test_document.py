import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.errors import SpecError
from tenantry.specs.document import MAX_BYTES, parse_document, read_document


def faults(content: bytes) -> list[str]:
    with pytest.raises(SpecError) as caught:
        parse_document(content, "a.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("NULL", None),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("-7", -7),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("0.5", 0.5),
        ("1e3", 1000.0),
        ("9e", "9e"),
        ("-.inf", float("-inf")),
        ("2013-09-03", "2013-09-03"),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("!!float 5", 5.0),
        ("[1, {a: b}]", [1, {"a": "b"}]),
        ("<script>{{$.x}}</script>", "<script>{{$.x}}</script>"),
        ("|\n  a\n  b", "a\nb\n"),
    ],
)
def test_scalars_mean_what_yaml_12_says(text: str, value: object) -> None:
    assert parse_document(f"x: {text}\n".encode(), "a.yaml") == {"x": value}


def test_not_a_number_is_read_and_left_to_the_model() -> None:
    assert math.isnan(parse_document(b"x: .nan", "a.yaml")["x"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "a.yaml: line 3: 'a' is there twice; keep one of them"),
        ("a:\n  b: 1\n  b: 2\n", "a.yaml: line 3: 'b' is there twice; keep one of them"),
        ("a: [\n", "a.yaml: line 2: is not YAML: did not find expected node content; check"),
        ("a: b: c\n", "a.yaml: line 1: is not YAML: mapping values are not allowed in this"),
        ("\ta: 1\n", "a.yaml: line 1: is not YAML: found character that cannot start any token"),
        ("a: 1\n---\nb: 2\n", "a.yaml: line 2: is not YAML: but found another document"),
        ("a: *b\n", "a.yaml: line 1: is not YAML: found undefined alias"),
        ("a: &x [1]\nb: *x\n", "a.yaml: line 1: an anchor is used twice; write the value out"),
        ("a: &x [*x]\n", "a.yaml: line 1: an anchor is used twice"),
        ("a: !secret x\n", "a.yaml: line 1: the tag '!secret' is not known; leave it out"),
        ("a: !!python/name:os.system x\n", "a.yaml: line 1: the tag 'tag:yaml.org,2002:python/na"),
        ("a: !!set {b}\n", "a.yaml: line 1: the tag 'tag:yaml.org,2002:set' is not known"),
        ("a: !!int x\n", "a.yaml: line 1: 'x' is no int"),
        ("a: !!bool x\n", "a.yaml: line 1: 'x' is no bool"),
        (f"a: {'9' * 5000}\n", "a.yaml: line 1: '9999999999999999999999999999999999999999' is no"),
        ("1: a\n", "a.yaml: line 1: a key is not text; put it in quotes"),
        ("? [a]\n: b\n", "a.yaml: line 1: a key is not text; put it in quotes"),
        ("- a\n", "a.yaml: line 1: is not a map; write `name: value` lines"),
        ("a\n", "a.yaml: line 1: is not a map"),
        ("", "a.yaml: is empty; write at least apiVersion and a name"),
        ("# only words\n", "a.yaml: is empty"),
        ("a: '\x01'\n", "a.yaml: is not YAML: control characters are not allowed"),
        ("[" * 100_000, "a.yaml: line 1: is not YAML: exceeded maximum nesting depth"),
    ],
)
def test_faults_of_form_name_the_line(text: str, message: str) -> None:
    (found,) = faults(text.encode())
    assert found.startswith(message)


def test_all_faults_of_form_come_at_once() -> None:
    assert len(faults(b"a: 1\na: 2\n3: x\nb: !x y\n")) == 3


def test_other_encodings_than_unicode_are_faults() -> None:
    (found,) = faults(b"a: \xff\xfe")
    assert found.startswith("a.yaml: is not YAML: ")


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "big.yaml").write_bytes(b"#" * (MAX_BYTES + 1))
    for name, message in {
        "none.yaml": "none.yaml: there is no such file; write it",
        "folder.yaml": "folder.yaml: cannot be read: Is a directory",
        "big.yaml": "big.yaml: is larger than 1 MiB; make it smaller",
    }.items():
        with pytest.raises(SpecError) as caught:
            read_document(tmp_path / name, name)
        assert str(caught.value) == message


def is_map_or_faults(content: bytes) -> bool:
    try:
        return isinstance(parse_document(content, "a.yaml"), dict)
    except SpecError as error:
        return all(fault.place.startswith("a.yaml") for fault in error.faults)


@given(st.binary(max_size=60))
def test_any_bytes_give_a_map_or_faults(content: bytes) -> None:
    assert is_map_or_faults(content)


@given(st.text(alphabet="ab:- \n[]{}#&*!|>'\"%@?,0", max_size=40))
def test_any_text_gives_a_map_or_faults(text: str) -> None:
    assert is_map_or_faults(text.encode())
