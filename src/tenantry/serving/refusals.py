"""Refusals: what a request is answered that is not answered with predictions."""

from dataclasses import dataclass
from typing import Final

import orjson

from tenantry.errors import TenantryError


class RefusedError(TenantryError):
    """A request is refused; what it says goes to the client, and so names neither store nor path.

    Attributes:
        status: The HTTP status.
        reason: One word, of those below, for programs, logs and metrics.
        wait: Seconds after which to try again; None where that would not help.
    """

    def __init__(
        self, status: int, reason: str, message: str, *, wait: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.wait = wait


@dataclass(frozen=True)
class _Kind:
    """A refusal that is always worded alike."""

    status: int
    reason: str
    message: str
    wait: float | None = None

    def __call__(self) -> RefusedError:
        return RefusedError(self.status, self.reason, self.message, wait=self.wait)


NO_TOKEN: Final = _Kind(401, "unauthorized", "no bearer token that opens this")
NO_MODEL: Final = _Kind(404, "not_found", "no such model or version")
NO_PLACE: Final = _Kind(404, "no_path", "no such path; see /openapi.json")
WRONG_METHOD: Final = _Kind(405, "method", "the path has no such method; see /openapi.json")
TOO_SLOW: Final = _Kind(408, "slow_body", "the request's body did not come in time")
TOO_LARGE: Final = _Kind(413, "too_large", "the request's body is larger than this server takes")
OVER_RATE: Final = _Kind(429, "rate", "more rows than this model's share of the server", 1.0)
OVER_CONCURRENCY: Final = _Kind(
    429, "concurrency", "more requests at a time than this model's share of the server", 1.0
)
SERVER_FULL: Final = _Kind(503, "full", "the server has as many requests as it can hold", 1.0)
UNAVAILABLE: Final = _Kind(503, "unavailable", "the model cannot be had now", 2.0)
NOT_READY: Final = _Kind(503, "not_ready", "the server is starting or stopping", 1.0)
SLOW_MODEL: Final = _Kind(503, "slow_model", "the model has too much to do to answer in time", 2.0)
LOAD_TIMEOUT: Final = _Kind(503, "load_timeout", "the model took too long to load", 2.0)
NO_REASONS: Final = _Kind(501, "no_reasons", "this model's predictions come without reasons")
FAILED: Final = _Kind(500, "failed", "the server failed; its log says how")

BAD_REQUEST: Final = "bad_request"
"""The reason of all refusals of what a request says, status 400."""


def body_of(refused: RefusedError) -> bytes:
    """Write what a client is told of a refusal."""
    return orjson.dumps({"error": str(refused), "reason": refused.reason})


def bad_request(message: str) -> RefusedError:
    """Return the refusal of a request that says something wrong; never quote its values."""
    return RefusedError(400, BAD_REQUEST, message)
