"""Temporary credentials that reach only what a grant allows: AssumeRole of a store's STS."""

import re
from dataclasses import dataclass, replace
from xml.etree.ElementTree import ParseError

from minio.credentials.providers import AssumeRoleProvider
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError

from tenantry.errors import StoreError, StoreUnavailableError
from tenantry.isolation.grants import Grant
from tenantry.isolation.policies import session_policy
from tenantry.store.s3_client import BucketAddress
from tenantry.transient import retry_transient

MIN_SECONDS, MAX_SECONDS = 900, 43_200
"""What stores grant at the least, and Amazon's at the most."""

_STATUS = re.compile(r"HTTP status code (\d{3})")
_REMEDY = (
    "give the run's user the policy that `tenantry policy` prints, or a store with STS; with"
    " TENANTRY_ISOLATION=shared runs go on with credentials that reach every tenant"
)


@dataclass(frozen=True)
class StsAddress:
    """Where sessions are asked for.

    Attributes:
        url: The STS endpoint.
        role: ARN of the role; MinIO needs none.
    """

    url: str
    role: str = ""


def assume(
    address: BucketAddress, sts: StsAddress, grant: Grant, *, seconds: float, pool: PoolManager
) -> BucketAddress:
    """Return the bucket's address with credentials that reach only what `grant` allows.

    Args:
        address: The bucket, and who asks.
        sts: Where to ask.
        grant: What the session may do.
        seconds: How long it is needed; the store's shortest and longest are kept to.
        pool: Asks.

    Raises:
        StoreError: The store gives no such credentials, or not to who asks; nor is it asked with
            temporary credentials, which MinIO refuses and the client signs no request with.
        StoreUnavailableError: It does not answer.
    """
    if address.session_token:
        raise _refusal(address, "its own credentials are temporary")
    return retry_transient()(_assume, address, sts, grant, seconds, pool)


def _assume(
    address: BucketAddress, sts: StsAddress, grant: Grant, seconds: float, pool: PoolManager
) -> BucketAddress:
    try:
        session = AssumeRoleProvider(
            sts_endpoint=sts.url,
            access_key=address.access_key,
            secret_key=address.secret_key,
            duration_seconds=int(min(max(seconds, MIN_SECONDS), MAX_SECONDS)),
            policy=session_policy(grant, address.bucket, address.prefix),
            region=address.region,
            role_arn=sts.role or None,
            role_session_name="tenantry" if sts.role else None,
            http_client=pool,
        ).retrieve()
    except (ValueError, ParseError, HTTPError) as error:  # the client's words may quote the answer
        raise _fault(address, error) from None
    return replace(
        address,
        access_key=session.access_key,
        secret_key=session.secret_key,
        session_token=session.session_token or "",
    )


def _fault(address: BucketAddress, error: Exception) -> StoreError:
    found = _STATUS.search(str(error))
    status = int(found[1]) if found else 0
    if (status >= 500 and status != 501) or isinstance(error, HTTPError):
        said = status or type(error).__name__
        return StoreUnavailableError(f"{address.url}: STS gives no proper answer ({said})")
    said = f"AssumeRole: {status}" if status else "AssumeRole: no answer of its kind"
    return _refusal(address, said)


def _refusal(address: BucketAddress, said: str) -> StoreError:
    return StoreError(f"{address.url}: has no STS for this user ({said}); {_REMEDY}")
