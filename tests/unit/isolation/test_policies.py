"""The policies' words; what they come to on a real server is in `tests/store/test_isolation.py`."""

import json

from tenantry.isolation.grants import tenant_grant
from tenantry.isolation.policies import run_policy, session_policy


def statements(policy, effect="Allow"):
    return [one for one in json.loads(policy)["Statement"] if one["Effect"] == effect]


def test_a_tenants_session_lists_nothing_and_reaches_two_places():
    policy = session_policy(tenant_grant("p", "a"), "bucket", "top/")
    allowed = statements(policy)
    assert not any(
        "List" in action for one in allowed for action in one["Action"] if "Bucket" in action
    )
    assert {place for one in allowed for place in one["Resource"]} == {
        "arn:aws:s3:::bucket/top/tenants/p/a/*",
        "arn:aws:s3:::bucket/top/products/p/pooled/*",
    }
    (denied,) = statements(policy, "Deny")
    assert "arn:aws:s3:::bucket/top/tenants/p/a/events/*" in denied["Resource"]


def test_a_session_policy_fits_into_what_amazon_takes():
    longest = session_policy(tenant_grant("p" * 30, "a" * 63), "b" * 63, "")
    assert len(longest) <= 2048


def test_the_run_lends_what_it_may_not_do_itself():
    own = [one for one in statements(run_policy("bucket", "")) if "Condition" not in one]
    lent = [one for one in statements(run_policy("bucket", "")) if "Condition" in one]
    assert not any("arn:aws:s3:::bucket/tenants/*" in one["Resource"] for one in own)
    assert lent[0]["Resource"] == ["arn:aws:s3:::bucket/*"]
    assert {json.dumps(one["Condition"]) for one in lent} == {
        '{"StringEquals": {"aws:principaltype": ["AssumedRole"]}}'
    }
