"""Who may ask for sessions."""

import pytest

from tenantry.errors import StoreError
from tenantry.isolation.grants import Grant
from tenantry.store.s3_client import BucketAddress, make_pool
from tenantry.store.sts import StsAddress, assume


def test_temporary_credentials_are_told_that_they_get_no_session():
    address = BucketAddress("host.invalid", "models", "who", "s3cr3t", session_token="t0k3n")
    sts, pool = StsAddress("http://host.invalid"), make_pool(1.0)
    with pytest.raises(StoreError, match=r"are temporary\).*TENANTRY_ISOLATION=shared") as caught:
        assume(address, sts, Grant(), seconds=60, pool=pool)
    assert "s3cr3t" not in str(caught.value)
    assert "t0k3n" not in str(caught.value)
