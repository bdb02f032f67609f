import pytest

from tenantry.errors import PlanError
from tenantry.presence import check_presence
from tests.unit.tiny_fleet import make_spec


def test_a_tenant_without_a_spec_is_an_error_and_so_are_many_retirements():
    specs = {f"t{n}": make_spec() for n in range(20)}
    with pytest.raises(PlanError) as caught:
        check_presence(specs, {"t1", "gone"}, 0.1, {"t1", "t2", "t3"})
    assert str(caught.value).splitlines() == [
        "gone.yaml: the store holds this tenant, but it has no spec; "
        "restore its file, or write state: retired into it",
        "product.yaml: 3 of 20 tenants are to be retired at once (t1, t2, t3); "
        "retire fewer, or raise retire_max_share (now 0.1)",
    ]
    check_presence(specs, {"t1"}, 0.1, {"t1", "t2"})
