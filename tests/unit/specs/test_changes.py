"""What differs between two specs, field by field."""

from tenantry.specs.changes import find_changes


def test_a_change_names_its_fields_and_values(specs):
    before = specs.load()
    specs.tenant("gate: {tolerance: 0.5}\nfeatures: {plan: null}\ntimezone: Europe/Berlin\n")
    specs.tenant("", "new")
    changes = find_changes(before, specs.load())
    assert changes["new"].kind == "added"
    assert changes["acme"].kind == "changed"
    words = [field.words for field in changes["acme"].fields]
    assert "gate.tolerance: 0.01 → 0.5" in words
    assert "timezone: UTC → Europe/Berlin" in words
    assert "features.plan.kind: categorical is gone" in words
    assert not [one for one in words if ":  is" in one]


def test_equal_fleets_have_no_change(specs):
    assert find_changes(specs.load(), specs.load()) == {}


def test_another_order_of_candidates_is_a_change(specs):
    before = specs.load()
    specs.product("{pooled: {}, logistic: {C: 0.5}}", "{logistic: {C: 0.5}, pooled: {}}")
    (field,) = find_changes(before, specs.load())["acme"].fields
    assert field.words == "model.candidates, in order: pooled, logistic → logistic, pooled"


def test_a_state_has_a_kind_of_its_own(specs):
    before = specs.load()
    specs.tenant("state: retired\n")
    retired = specs.load()
    assert find_changes(before, retired)["acme"].kind == "retired"
    assert find_changes(retired, before)["acme"].kind == "resumed"


def test_what_the_product_changes_is_told_once(specs):
    before = specs.load()
    specs.product("minutes: {kind: numeric, unit: min}", "minutes: {kind: numeric, unit: h}")
    (field,) = find_changes(before, specs.load())["acme"].fields
    assert field.path == "features.minutes.unit"


def test_without_a_product_before_all_are_added(specs):
    assert [one.kind for one in find_changes(None, specs.load()).values()] == ["added"]
