import pytest

from tenantry.digests import digest
from tenantry.specs import shared
from tenantry.specs.model import _TRAINED_ON


def plain_digest(spec):
    preference = list(spec.model.candidates)
    return digest([spec.model_dump(mode="json", include=set(_TRAINED_ON)), preference])


@pytest.fixture
def fleet(specs):
    for name, own in (
        ("a", ""),
        ("b", ""),
        ("c", "features: {plan: null}\n"),
        ("d", "model: {seed: 8}\n"),
        ("e", "timezone: Europe/Paris\n"),
        ("f", "pooling: {contribute: false, receive: false}\nkey: [visit]\n"),
    ):
        specs.tenant(own, name)
    return specs.load().specs


def test_the_digest_is_that_of_the_parts_as_json(fleet):
    for _ in range(2):
        for spec in fleet.values():
            assert spec.training_digest == plain_digest(spec)


def test_tenants_differ_where_their_parts_do(fleet):
    found = {name: spec.training_digest for name, spec in fleet.items()}
    assert found["a"] == found["b"] == found["acme"]
    assert len(set(found.values())) == 5


def test_what_is_remembered_is_bounded(fleet, monkeypatch):
    monkeypatch.setattr(shared, "_MOST", 2)
    for _ in range(3):
        for spec in fleet.values():
            assert spec.training_digest == plain_digest(spec)
    assert len(shared._TEXTS) <= 2
    assert len(shared._DIGESTS) <= 2


def test_tenants_that_leave_all_alone_cost_one_writing(fleet, monkeypatch):
    written = []
    monkeypatch.setattr(shared, "canonical_json", lambda value: written.append(1) or b"{}")
    shared._TEXTS.clear()
    shared._DIGESTS.clear()
    assert fleet["a"].training_digest == fleet["b"].training_digest
    assert len(written) == len(_TRAINED_ON) + 1
