"""A product that extends another holds what differs; faults say whose file they are in."""

import pytest

from tenantry.errors import SpecError
from tenantry.specs.load import Fleet, load_product
from tests.unit.specs.conftest import PRODUCT, TENANT, Specs

EXTENDING = """\
apiVersion: tenantry/v2
product: stay
extends: churn
title: Days to stay
label: {column: minutes, task: regression}
features: {minutes: null, plan: {title: tariff}}
model: {metric: rmse}
"""


def load(specs: Specs, text: str = EXTENDING) -> Fleet:
    specs.write("stay/product.yaml", text)
    specs.write("stay/acme.yaml", TENANT)
    return load_product(specs.folder, "stay")


def faults(specs: Specs, text: str = EXTENDING) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load(specs, text)
    return str(caught.value).splitlines()


def test_what_differs_is_merged_over_the_other_product(specs: Specs) -> None:
    stay, churn = load(specs), specs.load()
    ours, theirs = stay.specs["acme"], churn.specs["acme"]
    assert (stay.product, stay.title, stay.tenants_may_set) == (
        "stay",
        "Days to stay",
        churn.tenants_may_set,
    )
    assert (ours.product, ours.label.task, ours.model.metric) == ("stay", "regression", "rmse")
    assert list(ours.features) == ["plan"]
    assert ours.features["plan"].title == "tariff"
    assert ours.model.candidates == theirs.model.candidates
    assert ours.sources == theirs.sources
    assert ours.training_digest != theirs.training_digest


def test_lists_replace_and_names_are_never_taken_over(specs: Specs) -> None:
    specs.product("title: Churn", "title: Churn\ndescription: Who leaves")
    fleet = load(specs, EXTENDING + "tenants_may_set: [state]\n")
    assert (fleet.tenants_may_set, fleet.description) == (("state",), "")
    assert faults(specs, EXTENDING.replace("title: Days to stay\n", "")) == [
        "stay/product.yaml: title: is missing"
    ]


def test_the_other_products_faults_are_told_once_and_in_its_own_file(specs: Specs) -> None:
    specs.product("{every: 7d,", "{every: soon,")
    (told,) = faults(specs)
    assert told.startswith("churn/product.yaml: train.every: 'soon' is not a duration; write")


def test_what_does_not_fit_names_who_set_it(specs: Specs) -> None:
    specs.product("{column: left}", "{column: minutes, above: 3}")
    said = faults(specs)
    assert (
        "stay/product.yaml: label.above: makes no sense for regression; "
        "churn sets it; write `above: null` to remove it"
    ) in said
    assert not any(line.startswith("churn/") and "label.above" in line for line in said)


def test_connections_are_told_where_they_are_named(specs: Specs) -> None:
    specs.write("connections.yaml", "connections:\n  pond: {url: pond}\n")
    assert faults(specs)[0].startswith("churn/product.yaml: sources.rows[0].connection: there is")


@pytest.mark.parametrize(
    ("extends", "said"),
    [
        ("chrun", "extends: there is no other product 'chrun'; did you mean churn?"),
        ("stay", "extends: there is no other product 'stay'; choose from churn"),
        ("[churn]", "extends: there is no other product ['churn']; did you mean churn?"),
    ],
)
def test_products_that_are_not_there(specs: Specs, extends: str, said: str) -> None:
    told = faults(specs, EXTENDING.replace("extends: churn", f"extends: {extends}"))
    assert told == [f"stay/product.yaml: {said}"]


def test_one_step_is_all(specs: Specs) -> None:
    specs.write("churn/product.yaml", PRODUCT + "extends: other\n")
    assert faults(specs) == [
        "stay/product.yaml: extends: churn extends 'other' itself; "
        "extend the product at the root; one step is all"
    ]


def test_a_missing_file_of_the_other_is_a_fault(specs: Specs) -> None:
    (specs.folder / "churn/product.yaml").unlink()
    assert faults(specs) == ["churn/product.yaml: there is no such file; write it"]
