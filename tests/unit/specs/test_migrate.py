import json
from typing import Any

import pytest

from tenantry import layout
from tenantry.errors import SpecError
from tenantry.specs.frozen import freeze_specs, read_frozen_specs
from tenantry.specs.migrate import VERSIONS, migrate
from tenantry.specs.model import API_VERSION
from tenantry.specs.operation import Residency
from tenantry.store.folder import FolderStore
from tests.unit.specs.conftest import PRODUCT, Specs


def fault(document: dict[str, Any]) -> str:
    with pytest.raises(SpecError) as caught:
        migrate(document, "churn/acme.yaml")
    return str(caught.value)


def test_the_current_version_stays_as_it_is() -> None:
    document = {"apiVersion": API_VERSION, "tenant": "acme", "gate": None}
    assert migrate(document, "x") == {"tenant": "acme", "gate": None}
    assert VERSIONS[-1] == API_VERSION


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"zone": "eu"}, {"residency": {"zone": "eu"}}),
        ({"zone": None}, {"residency": None}),
        ({"retrain_every": "7d"}, {"train": {"every": "7d"}}),
        (
            {"train_on": "90d", "retrain_every": "7d", "train": None},
            {"train": {"history": "90d", "every": "7d"}},
        ),
        (
            {"overridable": ["zone", "retrain_every", "gate", 5]},
            {"tenants_may_set": ["residency", "train.every", "gate", 5]},
        ),
        ({"overridable": "zone"}, {"tenants_may_set": "zone"}),
        ({"gate": {"zone": 1}}, {"gate": {"zone": 1}}),
    ],
)
def test_v1alpha1_is_brought_up_to_date(old: dict[str, Any], new: dict[str, Any]) -> None:
    document = {"apiVersion": "tenantry/v1alpha1", **old}
    before = repr(document)
    assert migrate(document, "x") == new
    assert repr(document) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"residency": "eu"}, {"residency": {"zone": "eu"}}),
        ({"residency": None, "gate": None}, {"residency": None, "gate": None}),
        (
            {"sources": {"rows": [{"name": "a", "region": "x"}, 5], "joins": [{"region": "x"}]}},
            {"sources": {"rows": [{"name": "a"}, 5], "joins": [{}]}},
        ),
        ({"sources": {"rows": "none"}}, {"sources": {"rows": "none"}}),
        ({"sources": None}, {"sources": None}),
        ({"tenants_may_set": ["residency"]}, {"tenants_may_set": ["residency"]}),
    ],
)
def test_v1_is_brought_up_to_date(old: dict[str, Any], new: dict[str, Any]) -> None:
    document = {"apiVersion": "tenantry/v1", **old}
    before = repr(document)
    assert migrate(document, "x") == new
    assert repr(document) == before


def test_a_v1_zone_that_is_no_name_is_told(specs: Specs) -> None:
    specs.write("churn/product.yaml", PRODUCT.replace("[desc", "[residency, desc"))
    specs.write("churn/acme.yaml", "apiVersion: tenantry/v1\ntenant: acme\nresidency: [eu]\n")
    assert specs.faults() == ["churn/acme.yaml: residency.zone: ['eu'] is not text"]


def test_specs_frozen_before_are_brought_up_to_date(
    specs: Specs, folder_store: FolderStore
) -> None:
    spec = specs.load().specs["acme"]
    freeze_specs(folder_store, "run-1", "small", [spec])
    assert read_frozen_specs(folder_store, "run-1", "small") == {"acme": spec}
    assert [*spec.model.candidates] != sorted(spec.model.candidates)
    (read,) = read_frozen_specs(folder_store, "run-1", "small").values()
    assert [*read.model.candidates] == [*spec.model.candidates], "their order is one of preference"
    frozen = spec.model_dump(mode="json") | {"residency": "eu"}
    frozen["sources"]["rows"][0]["region"] = "default"
    folder_store.put(layout.frozen_specs("run-0", "small"), json.dumps({"acme": frozen}).encode())
    (read,) = read_frozen_specs(folder_store, "run-0", "small").values()
    assert read == spec.model_copy(update={"residency": Residency(zone="eu")})


def test_both_names_at_once_are_a_fault() -> None:
    document = {"apiVersion": "tenantry/v1alpha1", "retrain_every": "7d", "train": {"every": "1d"}}
    assert fault(document) == (
        "churn/acme.yaml: retrain_every: is there as train.every too; keep one of them"
    )


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (None, "is missing; write `apiVersion: tenantry/v2`"),
        (
            "tenantry/v3",
            "'tenantry/v3' is not known here, where tenantry/v2 is the newest; "
            "update Tenantry, or fix the version",
        ),
        ("tenantry/v1beta9", "'tenantry/v1beta9' is not known here"),
        ("apps/v1", "'apps/v1' is no version; write tenantry/v2"),
        (1, "'1' is no version"),
        (["tenantry/v1"], "is no version"),
    ],
)
def test_other_versions_are_faults(version: object, message: str) -> None:
    found = fault({"apiVersion": version} if version is not None else {})
    assert found.startswith("churn/acme.yaml: apiVersion: ")
    assert message in found


def test_files_of_several_versions_live_together(specs: Specs) -> None:
    specs.write(
        "churn/product.yaml",
        PRODUCT.replace("tenantry/v2", "tenantry/v1alpha1")
        .replace("tenants_may_set:\n  [", "overridable:\n  [zone, ")
        .replace("{every: 7d, history: 180d}", "{history: 180d}")
        + "retrain_every: 7d\nzone: eu\n",
    )
    specs.write("churn/acme.yaml", "apiVersion: tenantry/v1alpha1\ntenant: acme\nzone: us\n")
    specs.tenant("", "bolt")
    fleet = specs.load()
    assert {name: spec.residency.zone for name, spec in fleet.specs.items()} == {
        "acme": "us",
        "bolt": "eu",
    }
    assert fleet.specs["bolt"].train.every.days == 7


def test_a_new_name_in_an_old_file_is_merged_as_in_a_new_one(specs: Specs) -> None:
    specs.write("churn/acme.yaml", "apiVersion: tenantry/v1alpha1\ntenant: acme\nzone: us\n")
    (found,) = specs.faults()
    assert found.startswith("churn/acme.yaml: residency.zone: tenants of churn may not set it")
