import pytest

from tenantry.specs.faults import quoted
from tenantry.specs.model import Spec
from tests.unit.specs.conftest import Specs


def load(specs: Specs, more: str) -> Spec:
    specs.tenant(more)
    return specs.load().specs["acme"]


@pytest.mark.parametrize(
    ("more", "training", "features"),
    [
        ("description: hello\n", False, False),
        ("state: paused\n", False, False),
        ("predict: {start: 2024-02-01}\n", False, False),
        ("features: {plan: null}\n", True, True),
        ("timezone: Europe/Berlin\n", True, True),
        ("model: {seed: 8}\n", True, False),
        ("pooling: {contribute: false}\n", True, False),
        ("contract: {columns: {minutes: {max: 60}}}\n", True, False),
    ],
)
def test_digests_change_with_what_they_stand_for(
    specs: Specs, more: str, training: bool, features: bool
) -> None:
    plain, changed = load(specs, ""), load(specs, more)
    assert (plain.training_digest != changed.training_digest) is training
    assert (plain.features_digest != changed.features_digest) is features


def test_another_order_of_preference_makes_training_due(specs: Specs) -> None:
    spec = load(specs, "")
    turned = dict(reversed(spec.model.candidates.items()))
    other = spec.model_copy(update={"model": spec.model.model_copy(update={"candidates": turned})})
    assert other.training_digest != spec.training_digest


def test_a_spec_survives_json(specs: Specs) -> None:
    spec = load(specs, "gate: {min_rows: 5}\n")
    assert Spec.model_validate_json(spec.model_dump_json()) == spec


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "null"),
        (-5, "-5"),
        ("a'\n\x1b", '"a\'\\n\\x1b"'),
        ("x" * 100, "'" + "x" * 56 + "…"),
    ],
)
def test_values_are_quoted_on_one_short_line(value: object, text: str) -> None:
    assert quoted(value) == text
