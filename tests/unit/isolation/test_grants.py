import pytest

from tenantry.isolation.grants import Grant, tenant_grant

GRANT = tenant_grant("p", "a")


@pytest.mark.parametrize(
    ("place", "reads", "adds", "changes"),
    [
        ("tenants/p/a/champion.json", True, True, True),
        ("tenants/p/a/", True, True, False),
        ("tenants/p/a/models/", True, True, True),
        ("tenants/p/a/events/", True, True, False),
        ("tenants/p/a/events/e.json", True, True, False),
        ("tenants/p/a/suppressed.json", True, True, False),
        ("tenants/p/a/attempt.json", True, True, False),
        ("products/p/pooled/eu/v1/card.json", True, False, False),
        ("products/p2/pooled/eu/v1/card.json", False, False, False),
        ("products/p/index.json", False, False, False),
        ("products/p/pooled", False, False, False),
        ("tenants/p/a", False, False, False),
        ("tenants/p/a-2/x", False, False, False),
        ("tenants/p/b/x", False, False, False),
        ("tenants/p2/a/x", False, False, False),
        ("runs/r/plan.json", False, False, False),
        ("", False, False, False),
    ],
)
def test_what_a_tenants_worker_may_do(place, reads, adds, changes):
    allowed = GRANT.allows_read(place), GRANT.allows_add(place), GRANT.allows_change(place)
    assert allowed == (reads, adds, changes)


def test_nothing_is_allowed_by_an_empty_grant():
    assert not Grant().allows_read("")
    assert not Grant().allows_add("a")
    assert not Grant().allows_change("a")
