"""`docs/tenants.md` says what the code does: every field, default, example, fault and command."""

import re
import shutil
import subprocess
import typing
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from tenantry.errors import SpecError
from tenantry.specs.document import parse_document
from tenantry.specs.learning import Pooled
from tenantry.specs.load import load_product
from tenantry.specs.migrate import VERSIONS
from tenantry.specs.model import Spec
from tenantry.specs.product import Product
from tenantry.times import format_duration

PAGE = Path("docs/tenants.md").read_text()
HEADER = "apiVersion: tenantry/v2\ntenant: xx\n"
WORDS = {"required", "none", "", "all", "all rows", "its name", "filled in", "`{lead: 0m}`"}


def rows(title: str) -> list[list[str]]:
    """The rows of all tables below a heading, cells without the white space around them."""
    section = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


def parts(annotation: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    """The models within a type, with what a path says on the way to them."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    step = {dict: ".<name>", tuple: "[]"}.get(origin, "")
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield "", annotation
    elif origin is not typing.Literal:
        yield from ((step + rest, model) for part in inner for rest, model in parts(part))


def fields(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The dotted paths that hold no other fields, or may be left out whole, and their defaults."""
    for name, field in model.model_fields.items():
        below = [] if model is Pooled else list(parts(field.annotation))
        for step, inner in below:
            yield from fields(inner, f"{prefix}{name}{step}.")
        if not below or field.default in (None, ()) or isinstance(field.default, float):
            yield prefix + name, field.default


FIELDS = list(
    {
        (path, repr(it)): (path, it) for model in (Product, Spec) for path, it in fields(model)
    }.values()
)
DOCUMENTED = {row[0].strip("`"): row for row in rows("Every field") if row[0] != "`apiVersion`"}


def test_every_field_is_documented_and_nothing_else() -> None:
    headings = {"times.known_at", "times.label_known_at", "sources.rows", "contract.columns"}
    assert set(DOCUMENTED) - headings == {path for path, _ in FIELDS}


@pytest.mark.parametrize(("path", "default"), FIELDS, ids=[path for path, _ in FIELDS])
def test_defaults_are_those_of_the_model(path: str, default: Any) -> None:
    told = DOCUMENTED[path][1]
    if default is PydanticUndefined:
        assert told in ("required", "its name")
    elif default in (None, "", (), {}):
        assert told in WORDS
    elif isinstance(default, timedelta):
        assert told == f"`{format_duration(default)}`"
    else:
        assert told == f"`{str(default).lower() if default in (True, False) else default}`"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree("tenant_specs", tmp_path / "tenant_specs"))


def told(folder: Path, more: str) -> list[str]:
    (folder / "arrival-delay/xx.yaml").write_text(more)
    try:
        load_product(folder, "arrival-delay")
    except SpecError as error:
        return str(error).splitlines()
    return []


EXAMPLES = {path: row[3].strip("`") for path, row in DOCUMENTED.items() if row[3]}
MAY_SET = load_product(Path("tenant_specs"), "arrival-delay").tenants_may_set


def may_set(path: str) -> bool:
    return any(path == allowed or path.startswith(f"{allowed}.") for allowed in MAY_SET)


STRICT = "residency.strict"  # needs regions.yaml: see docs/regions.md and its test


@pytest.mark.parametrize("path", [path for path in DOCUMENTED if may_set(path) and path != STRICT])
def test_examples_of_what_tenants_may_set_are_sound(folder: Path, path: str) -> None:
    assert told(folder, f"{HEADER}{EXAMPLES[path]}\n") == []


@pytest.mark.parametrize("path", EXAMPLES)
def test_examples_name_their_field(path: str) -> None:
    example = EXAMPLES[path]
    named = [example.startswith(f"{part}:") for part in path.replace("[]", "").split(".")]
    assert any(named) or example == "see `product.yaml"
    if any(named):
        assert parse_document(example.encode(), path)


def test_whole_files_are_sound(folder: Path) -> None:
    files = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert files
    for text in files:
        assert told(folder, text) == []


@pytest.mark.parametrize("row", rows("Common faults"), ids=lambda row: row[0])
def test_faults_are_told_as_the_page_says(folder: Path, row: list[str]) -> None:
    written, message = row[0].strip("`"), row[1].strip("`")
    found = told(folder, f"{HEADER}{written}\n")
    if message == "nothing":
        assert found == []
    else:
        assert len(found) == 1
        assert found[0].startswith(f"arrival-delay/xx.yaml: {message}")


def test_the_first_onboarding_command_makes_a_tenant(folder: Path) -> None:
    command = PAGE.split("```sh\n")[1].splitlines()[0]
    subprocess.run(["bash", "-c", command], cwd=folder.parent, check=True)
    assert "xx" in load_product(folder, "arrival-delay").specs


def test_versions_are_listed() -> None:
    assert [row[0].strip("`") for row in rows("Versions of the form")] == list(reversed(VERSIONS))
