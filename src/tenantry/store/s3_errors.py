"""What the failures of an S3 request mean; nothing that the server wrote is quoted but its code."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Self
from xml.etree.ElementTree import ParseError, fromstring

from tenantry.errors import (
    ObjectMissingError,
    PreconditionError,
    StoreDeniedError,
    StoreError,
    StoreUnavailableError,
)
from tenantry.store.s3_transport import Answer, NoAnswerError


class RefusalError(Exception):
    """The server refused a request.

    Attributes:
        code: S3's name for why; empty where the server tells none.
        status: Of HTTP.
        headers: Of the answer, where they are known.
        may_be_second: See `Answer`.
    """

    def __init__(
        self,
        code: str,
        status: int,
        headers: Mapping[str, str] = MappingProxyType({}),
        *,
        may_be_second: bool = False,
    ) -> None:
        self.code, self.status = code, status
        self.headers, self.may_be_second = headers, may_be_second
        super().__init__(code or status)

    @classmethod
    def from_answer(cls, answer: Answer) -> Self:
        """Read why an answer refuses.

        Raises:
            ParseError: The answer was cut short.
        """
        return cls(
            _read_code(answer),
            answer.status,
            answer.headers,
            may_be_second=answer.may_be_second,
        )


FAILURES = (RefusalError, NoAnswerError, ParseError)
"""What a request raises when it fails; a `ParseError` is an answer cut short."""


class _ConflictError(PreconditionError):
    """Another request on the object was under way (409); the next try may win."""

    transient: ClassVar[bool] = True


_DENIED = (
    StoreDeniedError,
    "access denied; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do, and that"
    " no proxy changes requests",
)
_BUSY = (StoreUnavailableError, "the store is busy or out of order")
_SILENT = (StoreUnavailableError, "no proper answer")
_DAMAGED = (StoreUnavailableError, "the content was damaged on the way")
_CONFLICT = (_ConflictError, "another write was under way")
_MEANINGS: dict[str, tuple[type[StoreError], str]] = {
    "NoSuchKey": (ObjectMissingError, "no such object"),
    "NoSuchBucket": (StoreError, "no such bucket; create it, or correct TENANTRY_STORE"),
    "PreconditionFailed": (PreconditionError, "exists already, or has changed since it was read"),
    "ConditionalRequestConflict": _CONFLICT,
    "OperationAborted": _CONFLICT,
    "AccessDenied": _DENIED,
    "InvalidAccessKeyId": _DENIED,
    "SignatureDoesNotMatch": _DENIED,
    "ExpiredToken": (StoreError, "the session has expired; get new temporary credentials"),
    "RequestTimeTooSkewed": (StoreError, "this machine's clock differs from the store's; set it"),
    "SlowDown": _BUSY,
    "RequestTimeout": _BUSY,
    "IncompleteBody": _DAMAGED,
    "BadDigest": _DAMAGED,
    "XAmzContentSHA256Mismatch": _DAMAGED,
}
_CODES = {
    403: "AccessDenied",
    404: "NoSuchKey",
    408: "RequestTimeout",
    412: "PreconditionFailed",
    429: "SlowDown",
}


def translate(error: Exception, place: str) -> StoreError:
    """Return the error of ours that one of `FAILURES` stands for.

    Args:
        error: What a request raised.
        place: The object's address, without credentials.
    """
    code, status = _read_answer(error)
    if code not in _MEANINGS:
        code = _CODES.get(status, code)
    kind, text = _MEANINGS.get(code) or _read_status(status)
    return kind(f"{place}: {text} ({code or status or _read_silence(error)})")


def _read_answer(error: Exception) -> tuple[str, int]:
    """Return the code and the HTTP status of an answer; a status of 0 means that none came."""
    if isinstance(error, RefusalError):
        return error.code, error.status
    return "", 0


def _read_code(answer: Answer) -> str:
    # the answer to a HEAD has no body; MinIO names the code in a header
    if code := answer.headers.get("x-minio-error-code"):
        return code
    if not answer.data or "application/xml" not in answer.headers.get("content-type", ""):
        return ""
    text = answer.data.decode(errors="replace")  # an answer that is no text is refused all the same
    return fromstring(text).findtext("{*}Code", "")  # noqa: S314 - as minio-py does


def _read_silence(error: Exception) -> str:
    return str(error) if isinstance(error, NoAnswerError) else type(error).__name__


def _read_status(status: int) -> tuple[type[StoreError], str]:
    if status < 300:
        return _SILENT
    if status >= 500 and status != 501:
        return _BUSY
    return StoreError, "the store refused the request"
