"""What a reader is asked for, and how it says what is wrong."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from tenantry.errors import Fault, SourceError
from tenantry.sources.connections import Connection
from tenantry.specs.data import Source
from tenantry.times import Window


@dataclass(frozen=True)
class Query:
    """The columns and rows wanted of a source.

    Attributes:
        source: The table.
        connection: Where it lies.
        columns: The columns wanted.
        equals: Column → the text it must be equal to, exactly.
        within: A time column and the span of it that is wanted. Readers leave rows out early by
            it: they may return rows outside the span, and always return those without a time.
    """

    source: Source
    connection: Connection
    columns: tuple[str, ...]
    equals: Mapping[str, str] = field(default_factory=dict)
    within: tuple[str, Window] | None = None

    @property
    def place(self) -> str:
        """The source as errors name it."""
        return source_place(self.source)

    @property
    def needed(self) -> tuple[str, ...]:
        """All columns that must be there."""
        time = () if self.within is None else self.within[:1]
        return tuple(dict.fromkeys((*self.columns, *self.equals, *time)))

    def error(self, fault: str, remedy: str = "") -> SourceError:
        """Return the error for a fault of this source."""
        return SourceError(str(Fault(self.place, fault, remedy)))

    def require_columns(self, there: Iterable[str]) -> None:
        """Check that every column needed is there.

        Raises:
            SourceError: Some are not; names all of them.
        """
        missing = sorted(set(self.needed) - set(there))
        if missing:
            names = ", ".join(missing)
            raise self.error(f"has no column {names}", "mend the source or the contract's columns")


def source_place(source: Source) -> str:
    """Name a source, its connection and its path, as every error does."""
    return f"source {source.name} (connection {source.connection}, {source.path})"


def find_path(query: Query) -> Path:
    """Return the file or folder of a source.

    Raises:
        SourceError: The connection is no folder, the path leads out of it, or nothing is there.
    """
    folder = query.connection.folder
    if folder is None:
        raise query.error("the connection is a database, not a folder", "write `kind: sql`")
    path = folder / query.source.path
    if not path.resolve().is_relative_to(folder.resolve()):
        raise query.error("the path leads out of the connection's folder", "write one inside it")
    if not path.exists():
        raise query.error("there is no such file or folder", "check the path and the connection")
    return path


DATED = "____-__-__%"
"""What texts of times look like to SQL's LIKE; others are for the contract to judge."""


def date_bounds(span: Window) -> tuple[date, date]:
    """Return days that surely hold a span, whatever offsets its times are written with."""
    day = timedelta(days=1)
    return (_shifted(span.start, -day).date(), _shifted(span.end, 2 * day).date())


def _shifted(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return moment
