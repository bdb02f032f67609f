"""The base of every record we write: frozen, strict about unknown fields, canonical as JSON."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tenantry.digests import canonical_json
from tenantry.errors import RecordError

Whole = Annotated[int, Field(ge=-(1 << 53), le=1 << 53)]
"""A whole number that any float is exact for; JSON has longer ones than any float."""

LOG = logging.getLogger(__name__)

_WORDS = 300
"""Characters at most that say what is wrong: a damaged object may hold names of any length."""


class Record(BaseModel):
    """A frozen record with one canonical JSON form."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def to_json(self) -> bytes:
        """Write the record as canonical JSON; equal records give equal bytes."""
        return canonical_json(self.model_dump(mode="json"))

    @classmethod
    def from_json(cls, content: bytes, place: str) -> Self:
        """Read what `to_json` wrote.

        Args:
            content: The JSON text.
            place: The key or path it came from, for the error.

        Raises:
            RecordError: The content is not such a record.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            words = f"{field or 'content'}: {first['msg']}"
            msg = f"{place} is not a {cls.__name__}: {words[:_WORDS]}"
            raise RecordError(msg) from None


@contextmanager
def passing_over(told: list[str] | None = None) -> Iterator[None]:
    """Go on without what is not what its key says, and tell or log it.

    For who reads what many tenants left: the stages that need it fail for its tenant alone.

    Args:
        told: Takes what was passed over, in words, for people to see; None to log it.
    """
    try:
        yield
    except ValueError as error:
        if told is None:
            LOG.warning("passed over: %s", error)
        else:
            told.append(str(error))
