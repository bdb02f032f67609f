"""Temporary credentials that reach only what a grant allows: AssumeRole of a store's STS."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode
from xml.etree.ElementTree import ParseError, fromstring

from tenantry.errors import StoreError, StoreUnavailableError
from tenantry.isolation.grants import Grant
from tenantry.isolation.policies import session_policy
from tenantry.store.s3_client import BucketAddress
from tenantry.store.s3_transport import Answer, NoAnswerError, Signer, Transport
from tenantry.transient import retry_transient

MIN_SECONDS, MAX_SECONDS = 900, 43_200
"""The shortest and the longest that Amazon and MinIO give."""

_SILENCE = 10.0
"""Seconds, after which who gives sessions has failed."""

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


class Sessions:
    """Asks for sessions.

    Args:
        address: The bucket, and who asks.
        sts: Where to ask.
    """

    def __init__(self, address: BucketAddress, sts: StsAddress) -> None:
        self._address, self._sts = address, sts
        signer = Signer("sts", address.region, address.access_key, address.secret_key)
        self._transport = Transport(signer, read_timeout=_SILENCE, ca_file=address.ca_file)

    def assume(self, grant: Grant, *, seconds: float) -> BucketAddress:
        """Return the bucket's address with credentials that reach only what `grant` allows.

        Args:
            grant: What the session may do.
            seconds: How long it is needed; at least `MIN_SECONDS`, at most `MAX_SECONDS`.

        Raises:
            StoreError: The store gives no such credentials, or not to who asks; nor is it asked
                with temporary credentials, which MinIO refuses.
            StoreUnavailableError: It does not answer.
        """
        if self._address.session_token:
            raise self._refusal("its own credentials are temporary")
        return retry_transient()(self._assume, grant, seconds)

    def _assume(self, grant: Grant, seconds: float) -> BucketAddress:
        address, role = self._address, self._sts.role
        asked = {
            "Action": "AssumeRole",
            "Version": "2011-06-15",
            "DurationSeconds": str(int(min(max(seconds, MIN_SECONDS), MAX_SECONDS))),
            **({"RoleArn": role, "RoleSessionName": "tenantry"} if role else {}),
            "Policy": session_policy(grant, address.bucket, address.prefix),
        }
        kind = ["Content-Type: application/x-www-form-urlencoded"]
        try:
            answer = self._transport.send("POST", self._sts.url, kind, urlencode(asked).encode())
        except NoAnswerError as error:
            raise self._silence(str(error)) from None
        if answer.status not in (200, 204, 206):
            if _is_busy(answer):
                raise self._silence(str(answer.status))
            raise self._refusal(f"AssumeRole: {answer.status}")
        try:
            return _read_session(address, answer)
        except (LookupError, ParseError, ValueError):  # whose words may quote the answer
            raise self._refusal("AssumeRole: no answer of its kind") from None

    def _silence(self, said: str) -> StoreError:
        return StoreUnavailableError(f"{self._address.url}: STS gives no proper answer ({said})")

    def _refusal(self, said: str) -> StoreError:
        return StoreError(f"{self._address.url}: has no STS for this user ({said}); {_REMEDY}")


def _is_busy(answer: Answer) -> bool:
    """Say whether another try may go well; Amazon says 400 to who asks too often."""
    if answer.status == 400:
        return b"<Code>Throttling" in answer.data
    return answer.status == 429 or (answer.status >= 500 and answer.status != 501)


def _read_session(address: BucketAddress, answer: Answer) -> BucketAddress:
    root = fromstring(answer.data)  # noqa: S314 - as minio-py does
    session = "{*}AssumeRoleResult/{*}Credentials"
    key, secret, token = (
        root.findtext(f"{session}/{{*}}{name}", "")
        for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")
    )
    if not (key and secret and token):
        raise ValueError
    return replace(address, access_key=key, secret_key=secret, session_token=token)
