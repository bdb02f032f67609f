from typing import Any

import pytest

from tenantry.errors import SpecError
from tenantry.specs.migrate import VERSIONS, migrate
from tenantry.specs.model import API_VERSION
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
        ({"zone": "eu"}, {"residency": "eu"}),
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


def test_both_names_at_once_are_a_fault() -> None:
    document = {"apiVersion": "tenantry/v1alpha1", "retrain_every": "7d", "train": {"every": "1d"}}
    assert fault(document) == (
        "churn/acme.yaml: retrain_every: is there as train.every too; keep one of them"
    )


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (None, "is missing; write `apiVersion: tenantry/v1`"),
        (
            "tenantry/v2",
            "'tenantry/v2' is not known here, where tenantry/v1 is the newest; "
            "update Tenantry, or fix the version",
        ),
        ("tenantry/v1beta9", "'tenantry/v1beta9' is not known here"),
        ("apps/v1", "'apps/v1' is no version; write tenantry/v1"),
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
        PRODUCT.replace("tenantry/v1", "tenantry/v1alpha1")
        .replace("tenants_may_set:\n  [", "overridable:\n  [zone, ")
        .replace("{every: 7d, history: 180d}", "{history: 180d}")
        + "retrain_every: 7d\nzone: eu\n",
    )
    specs.write("churn/acme.yaml", "apiVersion: tenantry/v1alpha1\ntenant: acme\nzone: us\n")
    specs.tenant("", "bolt")
    fleet = specs.load()
    assert {name: spec.residency for name, spec in fleet.specs.items()} == {
        "acme": "us",
        "bolt": "eu",
    }
    assert fleet.specs["bolt"].train.every.days == 7


def test_a_new_name_in_an_old_file_is_merged_as_in_a_new_one(specs: Specs) -> None:
    specs.write("churn/acme.yaml", "apiVersion: tenantry/v1alpha1\ntenant: acme\nzone: us\n")
    (found,) = specs.faults()
    assert found.startswith("churn/acme.yaml: residency: tenants of churn may not set it")
