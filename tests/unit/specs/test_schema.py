import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tenantry.specs.document import parse_document, read_document
from tenantry.specs.load import load_product
from tenantry.specs.model import Spec
from tenantry.specs.product import Product
from tenantry.specs.schema import (
    extending_schema,
    product_schema,
    regions_schema,
    schema_files,
    tenant_schema,
)
from tests.unit.specs.conftest import PRODUCT, Specs

SHIPPED = Path("tenant_specs")
FILES = sorted(SHIPPED.glob("arrival-*/*.yaml"))
MAY_SET = load_product(SHIPPED, "arrival-delay").tenants_may_set


def fits(schema: dict[str, Any], document: dict[str, Any]) -> bool:
    return jsonschema.Draft202012Validator(schema).is_valid(document)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_shipped_files_name_their_schema_and_fit_it(path: Path) -> None:
    first = path.read_text().splitlines()[0]
    marker = "# yaml-language-server: $schema="
    assert first.startswith(marker)
    schema = json.loads((path.parent / first.removeprefix(marker)).read_text())
    assert fits(schema, read_document(path, path.name))


def test_shipped_schemas_are_current() -> None:
    files = schema_files(SHIPPED)
    assert {path.name for path in files} == {
        "product.json",
        "extending.json",
        "regions.json",
        "arrival-delay.tenant.json",
        "arrival-minutes.tenant.json",
    }
    assert set((SHIPPED / "schema").iterdir()) == set(files)
    for path, content in files.items():
        assert path.read_bytes() == content, "run `tenantry schema --write`"


@pytest.mark.parametrize(
    "schema",
    [product_schema(), extending_schema(), regions_schema(), tenant_schema("churn", MAY_SET)],
)
def test_schemas_are_schemas(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert "  " not in json.dumps(schema)


def test_the_product_schema_knows_every_field() -> None:
    schema = product_schema()
    assert schema["properties"].keys() == Product.model_fields.keys() | {"apiVersion"}
    assert "features" not in schema["$defs"]["Pooled"]["properties"]


@pytest.mark.parametrize(
    ("old", "new", "good"),
    [
        ("title: Churn", "title: Churn", True),
        ("title: Churn", "titel: Churn", False),
        ("title: Churn", "description: no title", False),
        ("kind: numeric", "kind: number", False),
        ("{every: 7d,", "{every: soon,", False),
        ("minutes: {kind", '"a b": {kind', False),
        ("tenantry/v2", "tenantry/v1", False),
    ],
)
def test_what_fits_the_product_schema(old: str, new: str, good: bool) -> None:
    document = parse_document(PRODUCT.replace(old, new).encode(), "x")
    assert fits(product_schema(), document) is good


@pytest.mark.parametrize(
    ("more", "good"),
    [
        ("title: Two", True),
        ("title: Two\nlabel: {task: regression, above: null}", True),
        ("title: Two\nfeatures: {dest: {title: to}, origin: null}", True),
        ("title: Two\nlabel: {task: guess}", False),
        ("label: {task: regression}", False),
        ("title: Two\ngate: {min_row: 5}", False),
    ],
)
def test_what_fits_the_schema_of_a_product_that_extends(more: str, good: bool) -> None:
    head = "apiVersion: tenantry/v2\nproduct: two\nextends: one\n"
    assert fits(extending_schema(), parse_document(f"{head}{more}\n".encode(), "x")) is good


@pytest.mark.parametrize(
    ("more", "good"),
    [
        ("", True),
        ("description: Acme", True),
        ("description: null", True),
        ("features: {dest: null}", True),
        ("features: {dest: {title: to}}", True),
        ("features: {x: {kind: history, of: label, over: 3d}}", True),
        ("features: {x: {kind: numeric, over: 3d}}", False),
        ("features: {x: {kind: nonsense}}", False),
        ("features: {x: {tittle: nonsense}}", False),
        ("features: {'a b': null}", False),
        ("gate: {min_rows: 5}", True),
        ("gate: {min_rows: -5}", False),
        ("gate: {min_row: 5}", False),
        ("predict: {threshold: 0.5}", True),
        ("predict: {explain: {top: 5}}", True),
        ("predict: {window: 1d}", False),
        ("model: {candidates: {logistic: {C: 1, solver: lbfgs}, boosted: null}}", True),
        ("model: {seed: 1}", False),
        ("sources: {rows: []}", False),
        ("resources: {dedicated: true}", True),
        ("resources: {memory_mib: 99999}", False),
        ("title: Acme", False),
        ("state: asleep", False),
    ],
)
def test_what_fits_the_tenant_schema(more: str, good: bool) -> None:
    document = parse_document(f"apiVersion: tenantry/v2\ntenant: acme\n{more}\n".encode(), "x")
    assert fits(tenant_schema("arrival-delay", MAY_SET), document) is good


@pytest.mark.parametrize(
    ("path", "more", "good"),
    [
        ("contract.columns.plan", "contract: {columns: {plan: {type: text}}}", True),
        ("contract.columns.plan", "contract: {max_quarantined_share: 1}", False),
        ("predict.explain.top", "predict: {explain: {top: 5}}", True),
        ("predict.explain.top", "predict: {explain: {rows: all}}", False),
        ("features.plan", "features: {plan: {kind: categorical}}", True),
    ],
)
def test_paths_of_any_depth_may_be_listed(path: str, more: str, good: bool) -> None:
    document = parse_document(f"apiVersion: tenantry/v2\ntenant: acme\n{more}\n".encode(), "x")
    assert fits(tenant_schema("churn", [path]), document) is good


def test_a_tenant_says_who_it_is() -> None:
    schema = tenant_schema("churn", ())
    assert fits(schema, {"apiVersion": "tenantry/v2", "tenant": "acme"})
    assert not fits(schema, {"apiVersion": "tenantry/v2"})
    assert not fits(schema, {"tenant": "acme"})
    assert schema["$defs"] == {}


def test_every_field_has_words() -> None:
    schema = product_schema()
    parts = [schema, *schema["$defs"].values()]
    silent = [
        name
        for part in parts
        for name, field in part["properties"].items()
        if "description" not in field and "const" not in field and "$ref" not in field
    ]
    assert silent == []
    assert all("description" in part for part in parts)
    assert Spec.model_fields["label"].description


def test_schemas_of_other_folders(specs: Specs) -> None:
    files = schema_files(specs.folder)
    assert {path.relative_to(specs.folder).as_posix() for path in files} == {
        "schema/product.json",
        "schema/extending.json",
        "schema/regions.json",
        "schema/churn.tenant.json",
    }


@pytest.mark.parametrize(
    ("region", "good"),
    [
        ("store: stores/eu", True),
        ("store: stores/eu, zone: europe", True),
        ("store: 's3+https://h/b', credentials: {access_key: A, secret_key: B}", True),
        ("store: 's3+https://h/b', credentials: {access_key: A}", False),
        ("store: 's3+https://h/b', credentials: {access_key: a/b, secret_key: B}", False),
        ("zone: europe", False),
        ("store: stores/eu, zones: europe", False),
    ],
)
def test_what_fits_the_regions_schema(region: str, good: bool) -> None:
    document = parse_document(f"regions: {{eu: {{{region}}}}}".encode(), "x")
    assert fits(regions_schema(), document) is good
