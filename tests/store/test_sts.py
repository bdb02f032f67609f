"""Who may ask for sessions."""

import pytest

from tenantry.errors import StoreError
from tenantry.isolation.grants import Grant
from tenantry.store.s3_client import BucketAddress
from tenantry.store.sts import StsAddress, assume


def test_temporary_credentials_are_told_that_they_get_no_session():
    address = BucketAddress("host.invalid", "models", "who", "s3cr3t", session_token="t0k3n")
    with pytest.raises(StoreError, match=r"are temporary\).*TENANTRY_ISOLATION=shared") as caught:
        assume(address, StsAddress("http://host.invalid"), Grant(), seconds=60)
    assert "s3cr3t" not in str(caught.value)
    assert "t0k3n" not in str(caught.value)
