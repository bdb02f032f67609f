"""Named connections: the one file that says where sources lie; secrets come by name."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Connection(BaseModel):
    """Where one or more sources lie.

    Attributes:
        url: A folder (`file:///data/ewr`, or relative to the connections file) or a SQLAlchemy
            URL. `${NAME}` is replaced from the environment.
        secret: Name of the environment variable that holds the password, if any.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    secret: str | None = None


class Connections(BaseModel):
    """All connections by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connections: Annotated[dict[str, Connection], Field(default_factory=dict)]
