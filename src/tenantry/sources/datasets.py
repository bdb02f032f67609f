"""Files as Arrow datasets. What a folder of Parquet files holds is kept until something changes.

A process reads many tenants' rows from one folder, one after the other, and each wants few of its
partitions. To list the folder anew for each takes longer than to read the rows.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow.dataset as ds

_MOST_KEPT = 8
_MOST_FILES = 20_000
"""Of a folder that is kept: some hundred bytes each."""

_MOST_FOOTERS = 256
"""Of files whose footers are kept: mostly some kilobytes each."""

_SETTLED_NS = 2_000_000_000
"""How old a change must be: a later one may have the same time, clocks of files being coarse."""

_Stamp = tuple[int, int]
"""When a file or folder was changed last, nanoseconds, and its number in the file system."""

_NEVER: _Stamp = (0, 0)
_Stamps = Mapping[str, _Stamp]


def open_dataset(path: Path, form: ds.FileFormat) -> ds.FileSystemDataset:
    """Open a file, or a folder of them whose hive folders become columns; no rows are read."""
    return ds.dataset(path, format=form, partitioning=ds.partitioning(flavor="hive"))


def open_parquet(path: Path, equals: Mapping[str, str]) -> ds.FileSystemDataset:
    """Open a Parquet file, or a folder of them, as it is now; see `open_dataset`.

    Args:
        path: The file or folder.
        equals: Column → the text that rows wanted have there. Partitions of other values are left
            out, as far as their names tell: readers filter rows nevertheless.

    Raises:
        pyarrow.ArrowException: The first file is not readable as Parquet.
        OSError: Nothing can be read there.
    """
    kept = _KEPT.get(path)
    if kept is None or not _hold(kept.stamps):
        kept = _Folder.of(path)
        _KEPT.pop(path, None)
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        if kept.stamps:
            _KEPT[path] = kept
    return kept.select(equals)


@dataclass(frozen=True)
class _Files:
    """Files that may hold wanted rows; their footers are read once.

    Attributes:
        told: Columns that names of files tell of, and the values that are wanted there.
        fragments: The files.
        stamps: File → when it was changed last; empty where they are not to be kept.
    """

    told: tuple[tuple[str, str], ...]
    fragments: Sequence[ds.ParquetFileFragment]
    stamps: _Stamps


@dataclass
class _Folder:
    """A folder of Parquet files, or one file.

    Attributes:
        dataset: All of it.
        partitions: Of each file what its name says of its rows: an expression, column → value.
        columns: Those that names of files tell of.
        stamps: Folder, or first file → when it was changed last; empty where it is not to be kept.
        last: The files that were asked for last: the next tenant often reads the same ones.
    """

    dataset: ds.FileSystemDataset
    partitions: Sequence[tuple[ds.Expression, Mapping[str, object]]]
    columns: frozenset[str]
    stamps: _Stamps
    last: _Files | None = None

    @classmethod
    def of(cls, path: Path) -> Self:
        now, folders = time.time_ns(), dict(_folder_stamps(os.fspath(path)))
        dataset = open_dataset(path, ds.ParquetFileFormat())
        firsts = {file: _stamp(file) for file in dataset.files[:1]}  # whose schema is that of all
        told = [one.partition_expression for one in dataset.get_fragments()]
        partitions = [(one, ds.get_partition_keys(one)) for one in told]
        columns = frozenset(name for _, values in partitions for name in values)
        stamps = _settled(folders | firsts, now) if len(partitions) <= _MOST_FILES else {}
        return cls(dataset, partitions, columns, stamps)

    def select(self, equals: Mapping[str, str]) -> ds.FileSystemDataset:
        """Return the files that may hold wanted rows; all of them where none may."""
        told = tuple((name, equals[name]) for name in sorted(equals) if name in self.columns)
        files, whole = self.last, self.dataset
        if files is None or files.told != told or not _hold(files.stamps):
            files = self._find(told)
            self.last = files if files.stamps else None
        return ds.FileSystemDataset(files.fragments, whole.schema, whole.format, whole.filesystem)

    def _find(self, told: tuple[tuple[str, str], ...]) -> _Files:
        whole, now = self.dataset, time.time_ns()
        named = list(zip(whole.files, self.partitions, strict=True))
        wanted = [
            (file, expression)
            for file, (expression, values) in named
            if all(_may_be(values.get(name), value) for name, value in told)
        ] or [(file, expression) for file, (expression, _) in named]
        few = wanted if len(wanted) <= _MOST_FOOTERS else []
        stamps = _settled({file: _stamp(file) for file, _ in few}, now)
        make = whole.format.make_fragment
        return _Files(told, [make(file, whole.filesystem, one) for file, one in wanted], stamps)


_KEPT: dict[Path, _Folder] = {}


def _folder_stamps(path: str) -> Iterator[tuple[str, _Stamp]]:
    """Yield when each folder was changed; never of a link to one, whose target may be anywhere."""
    if not Path(path).is_dir():
        return
    yield path, _stamp(path)
    try:
        entries = list(os.scandir(path))
    except OSError:  # the reader tells what is wrong with it
        yield path, _NEVER
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _folder_stamps(entry.path)
        elif entry.is_dir():
            yield entry.path, _NEVER


def _settled(stamps: _Stamps, now: int) -> _Stamps:
    """Return stamps that tell of every later change; none where one may be too young for that."""
    return stamps if all(0 < changed < now - _SETTLED_NS for changed, _ in stamps.values()) else {}


def _hold(stamps: _Stamps) -> bool:
    """Say whether files and folders surely are as they were."""
    return bool(stamps) and all(_stamp(path) == stamp for path, stamp in stamps.items())


def _stamp(path: str) -> _Stamp:
    try:
        status = os.stat(path)  # noqa: PTH116 - of many
    except OSError:
        return _NEVER
    return status.st_ctime_ns, status.st_ino


def _may_be(value: object, wanted: str) -> bool:
    """Whether a partition's value may be the one wanted; it is None where its name says nothing."""
    if isinstance(value, str):
        return value == wanted
    return not (isinstance(value, int) and wanted.isdecimal()) or value == int(wanted)
