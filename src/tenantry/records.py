"""The base of every record we write: frozen, strict about unknown fields, canonical as JSON."""

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from tenantry.digests import canonical_json


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
            ValueError: The content is not such a record.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            msg = f"{place} is not a {cls.__name__}: {field or 'content'}: {first['msg']}"
            raise ValueError(msg) from None
