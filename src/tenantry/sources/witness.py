"""Noting what a source was when it was read: files by content, tables by the rows they gave."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from tenantry.fingerprints import fingerprint
from tenantry.origins import SourceFile, SourceRead
from tenantry.sources.partitions import may_hold
from tenantry.sources.query import Query, find_path
from tenantry.sources.stamps import Stamp, settled, stamp
from tenantry.times import format_moment
from tenantry.values import is_all_missing

_KINDS = {
    "boolean": "truth",
    "date": "time",
    "datetime": "time",
    "datetime64": "time",
    "decimal": "number",
    "floating": "number",
    "integer": "number",
    "mixed-integer-float": "number",
    "string": "text",
}
"""What pandas calls values → what a record calls them."""

_Entries = tuple[tuple[str, str], ...]
"""Names in a folder, and whether each is a `folder`, a `file` or a `link` to either."""


class Witness:
    """Says what a source was, before and after it is read.

    Args:
        query: What the source is asked for.

    Raises:
        SourceError: There is no such file or folder.
    """

    def __init__(self, query: Query) -> None:
        self._query = query
        self._files = _find_files(query)

    def testify(self, frame: pd.DataFrame) -> SourceRead:
        """Return the record of a source that gave `frame`."""
        query, source = self._query, self._query.source
        within: tuple[str, ...] = ()
        if query.within is not None:
            time, span = query.within
            within = (time, format_moment(span.start), format_moment(span.end))
        return SourceRead(
            source=source.name,
            connection=source.connection,
            kind=source.kind,
            path=source.path,
            equals=dict(query.equals),
            within=within,
            rows=len(frame),
            files=self._files,
            digest=fingerprint(frame, query.columns) if source.kind == "sql" else "",
            changed=bool(self._files) and _find_files(query) != self._files,
            types=_find_types(frame),
        )


def _find_types(frame: pd.DataFrame) -> dict[str, str]:
    """Return the type that each column's values came as; a column without any is left out."""
    kinds = {str(name): _kind_of(values) for name, values in frame.items()}
    return {name: kind for name, kind in kinds.items() if kind}


def _kind_of(values: "pd.Series[Any]") -> str:
    if is_all_missing(values.array):
        return ""
    if isinstance(values.dtype, pd.StringDtype):
        return "text"
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _kind_of(pd.Series(values.dtype.categories))
    if pd.api.types.is_bool_dtype(values.dtype):
        return "truth"
    if pd.api.types.is_numeric_dtype(values.dtype):
        return "number"
    return _KINDS.get(pd.api.types.infer_dtype(values, skipna=True), "mixed")


def _find_files(query: Query) -> tuple[SourceFile, ...]:
    """Return the files that hold a source, without partitions of other values than those wanted."""
    if query.source.kind == "sql" or query.connection.folder is None:
        return ()
    root, folder = find_path(query), query.connection.folder
    found = []
    for path in _data_files(root, query) if root.is_dir() else [root]:
        with suppress(OSError):  # the reader tells what is wrong with it
            found.append(_describe(path, path.relative_to(folder).as_posix()))
    return tuple(found)


def _data_files(folder: Path, query: Query) -> Iterator[Path]:
    """Yield what a reader takes for data, sorted: no name on the way begins with . or _."""
    for name, kind in _entries(folder):
        if kind == "folder":
            if may_hold(name, query.equals):
                yield from _data_files(folder / name, query)
        elif kind == "file" or (folder / name).is_file():
            yield folder / name


def _entries(folder: Path) -> _Entries:
    """List a folder, or tell what it held when it was as it is now."""
    place, now = os.fspath(folder), time.time_ns()
    known = settled({place: stamp(place)}, now)
    return _listed(place, known[place]) if known else _list(place)


@lru_cache(maxsize=1 << 12)  # tenants of a product look through the same folders
def _listed(folder: str, known: Stamp) -> _Entries:  # noqa: ARG001 - the key
    return _list(folder)


def _list(folder: str) -> _Entries:
    with os.scandir(folder) as entries:
        found = [(entry.name, _kind_of_entry(entry)) for entry in entries]
    return tuple(sorted(one for one in found if not one[0].startswith((".", "_"))))


def _kind_of_entry(entry: os.DirEntry[str]) -> str:
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "link"


def _describe(path: Path, name: str) -> SourceFile:
    status = path.stat()
    return SourceFile(
        name=name,
        size=status.st_size,
        sha256=_sha256(path, status.st_ino, status.st_size, status.st_mtime_ns),
        modified=datetime.fromtimestamp(status.st_mtime, UTC).replace(microsecond=0),
    )


@lru_cache(maxsize=65_536)  # tenants share files: each is read once a process
def _sha256(path: Path, inode: int, size: int, modified: int) -> str:  # noqa: ARG001 - the key
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
