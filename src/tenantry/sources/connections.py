"""Named connections: the one file that says where sources lie; secrets come by name."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from tenantry.errors import Fault, SourceError, SpecError
from tenantry.specs.document import read_document
from tenantry.specs.parts import DNS_LABEL, VARIABLE_NAME

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_SQLITE_FILE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:)([^?]+)(.*)")
_FORM = "write `<name>: {url: <folder or SQLAlchemy URL>, secret: <NAME>}`, secret if any"
_WORDS = {
    "extra_forbidden": "there is no such field",
    "missing": "is missing",
    "string_pattern_mismatch": "is not the name of an environment variable",
    "string_too_short": "is empty",
    "string_type": "is not text",
}


class Connection(BaseModel):
    """Where one or more sources lie.

    Attributes:
        url: A folder (`file:///data/ewr`, or relative to the connections file) or a SQLAlchemy
            URL. `${NAME}` is replaced from the environment.
        secret: Name of the environment variable that holds the password, if any.
        region: The region it lies in, one of `regions.yaml`; None where nobody says.
        password: The secret's value; shown nowhere.
        unset: Environment variables that the connection needs and that are not set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(repr=False, min_length=1)
    secret: str | None = None
    region: str | None = None
    password: SecretStr | None = None
    unset: tuple[str, ...] = ()

    @property
    def folder(self) -> Path | None:
        """The folder, or None when the connection is a database."""
        if "://" not in self.url:
            return Path(self.url)
        parts = urlsplit(self.url)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None

    def resolved(self, base: Path, environ: Mapping[str, str]) -> Self:
        """Return the connection with its variables filled in and its paths made absolute."""
        names = dict.fromkeys(_VARIABLE.findall(self.url))
        names |= {self.secret: None} if self.secret else {}
        url = _VARIABLE.sub(lambda match: environ.get(match[1], match[0]), self.url)
        if "://" not in url:
            url = (base / url).resolve().as_uri()
        url = _SQLITE_FILE.sub(
            lambda match: f"{match[1]}{(base / match[2]).resolve()}{match[3]}", url
        )
        password = environ.get(self.secret) if self.secret else None
        return self.model_copy(
            update={
                "url": url,
                "password": None if password is None else SecretStr(password),
                "unset": tuple(name for name in names if name not in environ),
            }
        )


class Connections(BaseModel):
    """All connections by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    connections: Annotated[dict[str, Connection], Field(default_factory=dict)]

    def only(self, names: Iterable[str]) -> "Connections":
        """Return those that are named, as far as there are."""
        wanted = {*names}
        return Connections(connections={k: v for k, v in self.connections.items() if k in wanted})

    def find(self, name: str, place: str) -> Connection:
        """Return a connection that can be used.

        Args:
            name: Its name.
            place: The source that needs it, for the error.

        Raises:
            SourceError: There is none of that name, or a variable that it needs is not set. Only
                the source that needs a secret fails: stages that read no source need none.
        """
        connection = self.connections.get(name)
        if connection is None:
            fault = Fault(place, f"no connection {name!r}", "add it to the connections file")
            raise SourceError(str(fault))
        if connection.unset:
            unset = ", ".join(connection.unset)
            remedy = "set it where sources are read"
            raise SourceError(str(Fault(place, f"environment variable {unset} is not set", remedy)))
        return connection


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(min_length=1)
    secret: Annotated[str, Field(pattern=VARIABLE_NAME)] | None = None
    region: Annotated[str, Field(pattern=DNS_LABEL)] | None = None


def load_connections(path: Path, environ: Mapping[str, str]) -> Connections:
    """Read the connections file; relative folders are below the file's own folder.

    Raises:
        SpecError: The file is missing or wrong; every fault at once, without a value of the file,
            which may be a secret.
    """
    entries = read_document(path, path.name)
    connections = entries.pop("connections", None)
    faults = [Fault(f"{path.name}: {name}", "there is no such field", _FORM) for name in entries]
    if not isinstance(connections, dict):
        raise SpecError([*faults, Fault(f"{path.name}: connections", "is not a map", _FORM)])
    found = {}
    for name, entry in connections.items():
        try:
            written = _Written.model_validate(entry)
        except ValidationError as error:
            faults += _entry_faults(f"{path.name}: connections.{name}", error)
        else:
            unresolved = Connection(**written.model_dump())
            found[name] = unresolved.resolved(path.parent.resolve(), environ)
    if faults:
        raise SpecError(faults)
    return Connections(connections=found)


def _entry_faults(place: str, error: ValidationError) -> Iterator[Fault]:
    for detail in error.errors(include_input=False, include_url=False):
        field = ".".join((place, *(str(part) for part in detail["loc"])))
        words = _WORDS.get(detail["type"], "is not what a connection has there")
        if detail["type"] == "string_pattern_mismatch" and detail["loc"][-1] == "region":
            words = "is not the name of a region"
        yield Fault(field, words, _FORM)
