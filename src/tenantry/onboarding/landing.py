"""Where a new product's rows lie: a connection that reaches them, or one more in the file."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from tenantry.errors import Fault, OnboardingError
from tenantry.onboarding.given import Given
from tenantry.onboarding.reasons import Reason
from tenantry.settings import Settings
from tenantry.sources.connections import Connection, Connections
from tenantry.specs.document import parse_document, write_document

_HEAD = "# Where sources lie. Only the platform's people edit this file.\n"


@dataclass(frozen=True)
class Named:
    """A source by a connection that the specs know.

    Attributes:
        given: The source; its connection has a name in `connections`.
        connections: All there are, a new one included.
        text: The file of connections with the new one; empty when none is needed.
        reason: Why there is a new one.
    """

    given: Given
    connections: Connections
    text: str = ""
    reason: Reason | None = None


def name_connection(
    given: Given, connections: Connections, settings: Settings, product: str
) -> Named:
    """Find the connection that reaches a source, or make one of the product's name.

    Raises:
        OnboardingError: The file of connections lies apart from the specs, or cannot be extended.
    """
    if given.source.connection in connections.connections:
        return Named(given, connections)
    folder = given.connection.folder
    for name, known in connections.connections.items():
        if folder is not None and known.folder is not None and not known.unset:
            above = known.folder.resolve()
            if folder.is_relative_to(above):
                path = (folder.relative_to(above) / given.source.path).as_posix()
                return Named(_as(given, name, known, path), connections)
        elif folder is None and known.url == given.connection.url:
            return Named(_as(given, name, known, given.source.path), connections)
    return _new(given, connections, settings, product)


def _as(given: Given, name: str, connection: Connection, path: str) -> Given:
    source = given.source.model_copy(update={"connection": name, "path": path})
    return replace(given, source=source, connection=connection)


def _new(given: Given, connections: Connections, settings: Settings, product: str) -> Named:
    file = settings.connections
    if file.parent.resolve() != settings.specs.resolve() or file.name != "connections.yaml":
        remedy = f"add one to {file}, and give its name with --table"
        raise OnboardingError([Fault("--source", "no connection reaches it", remedy)])
    if product in connections.connections:
        fault = f"there is a connection {product} that does not reach it"
        raise OnboardingError([Fault("--source", fault, "put the file there, or rename one")])
    url = _written(given.connection, file.parent)
    text = file.read_text(encoding="utf-8") if file.exists() else f"{_HEAD}connections:\n"
    text = f"{text.rstrip()}\n  {write_document({product: {'url': url}})}"
    entries = parse_document(text.encode(), file.name).get("connections")
    if not isinstance(entries, dict) or {*entries} != {*connections.connections, product}:
        remedy = f"add `{product}: {{url: …}}` to its connections by hand, then try again"
        raise OnboardingError([Fault(file.name, "cannot be extended", remedy)])
    made = Connections(connections={**connections.connections, product: given.connection})
    reason = Reason(path=f"connections.{product}", value=url, why="where the rows were found")
    return Named(_as(given, product, given.connection, given.source.path), made, text, reason)


def _written(connection: Connection, folder: Path) -> str:
    """Return a connection's address as it stands in the file: paths are relative to the file's."""
    above = folder.resolve()
    if connection.folder is not None:
        return os.path.relpath(connection.folder, above)
    scheme, _, path = connection.url.partition(":///")
    is_file = scheme.startswith("sqlite") and path.startswith("/")
    return f"{scheme}:///{os.path.relpath(path, above)}" if is_file else connection.url
