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

from tenantry.sources.partitions import may_hold
from tenantry.sources.stamps import NEVER, Stamp, Stamps, hold, settled, stamp

_MOST_KEPT = 8
_MOST_FILES = 20_000
"""Of a folder that is kept: some hundred bytes each."""

_MOST_FOOTERS = 256
"""Of files whose footers are kept: mostly some kilobytes each."""


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
    found = kept.select_again(equals) if kept else None
    if found is not None:
        return found
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
        stamps: Of the files, and of the folders in which there may be another one; empty where they
            are not to be kept.
    """

    told: tuple[tuple[str, str], ...]
    fragments: Sequence[ds.ParquetFileFragment]
    stamps: Stamps


@dataclass
class _Folder:
    """A folder of Parquet files, or one file.

    Attributes:
        path: Where it is.
        dataset: All of it.
        partitions: Of each file what its name says of its rows: an expression, column → value.
        columns: Those that names of files tell of.
        stamps: Of all folders and the first file; empty where nothing is to be kept.
        last: The files that were asked for last: the next tenant often reads the same ones.
    """

    path: str
    dataset: ds.FileSystemDataset
    partitions: Sequence[tuple[ds.Expression, Mapping[str, object]]]
    columns: frozenset[str]
    stamps: Stamps
    last: _Files | None = None

    @classmethod
    def of(cls, path: Path) -> Self:
        now, folders = time.time_ns(), dict(_folder_stamps(os.fspath(path)))
        dataset = open_dataset(path, ds.ParquetFileFormat())
        firsts = {file: stamp(file) for file in dataset.files[:1]}  # whose schema is that of all
        told = [one.partition_expression for one in dataset.get_fragments()]
        partitions = [(one, ds.get_partition_keys(one)) for one in told]
        columns = frozenset(name for _, values in partitions for name in values)
        stamps = settled(folders | firsts, now) if len(partitions) <= _MOST_FILES else {}
        return cls(os.fspath(path), dataset, partitions, columns, stamps)

    def select_again(self, equals: Mapping[str, str]) -> ds.FileSystemDataset | None:
        """Return what `select` returns; None where something has changed since."""
        files = self.last
        if files is not None and files.told == self._told(equals) and hold(files.stamps):
            return self._only(files)
        return self.select(equals) if hold(self.stamps) else None

    def select(self, equals: Mapping[str, str]) -> ds.FileSystemDataset:
        """Return the files that may hold wanted rows; all of them where none may."""
        files = self._find(self._told(equals))
        self.last = files if files.stamps else None
        return self._only(files)

    def _told(self, equals: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        return tuple((name, equals[name]) for name in sorted(equals) if name in self.columns)

    def _only(self, files: _Files) -> ds.FileSystemDataset:
        whole = self.dataset
        return ds.FileSystemDataset(files.fragments, whole.schema, whole.format, whole.filesystem)

    def _find(self, told: tuple[tuple[str, str], ...]) -> _Files:
        whole, now = self.dataset, time.time_ns()
        named = list(zip(whole.files, self.partitions, strict=True))
        wanted = [
            (file, expression)
            for file, (expression, values) in named
            if all(_may_be(values.get(name), value) for name, value in told)
        ]
        around = self._around(dict(told)) if wanted else self.stamps
        wanted = wanted or [(file, expression) for file, (expression, _) in named]
        few = wanted if len(wanted) <= _MOST_FOOTERS else []
        stamps = settled({file: stamp(file) for file, _ in few}, now)
        make = whole.format.make_fragment
        fragments = [make(file, whole.filesystem, one) for file, one in wanted]
        return _Files(told, fragments, {**around, **stamps} if stamps else {})

    def _around(self, told: Mapping[str, str]) -> Stamps:
        """Return the stamps that tell of another file with wanted rows, or of another first one."""
        first, start = self.dataset.files[0], len(self.path)
        return {
            place: known
            for place, known in self.stamps.items()
            if place <= first or all(may_hold(name, told) for name in place[start:].split("/"))
        }


_KEPT: dict[Path, _Folder] = {}


def _folder_stamps(path: str) -> Iterator[tuple[str, Stamp]]:
    """Yield when each folder was changed; never of a link to one, whose target may be anywhere."""
    if not Path(path).is_dir():
        return
    yield path, stamp(path)
    try:
        entries = list(os.scandir(path))
    except OSError:  # the reader tells what is wrong with it
        yield path, NEVER
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _folder_stamps(entry.path)
        elif entry.is_dir():
            yield entry.path, NEVER


def _may_be(value: object, wanted: str) -> bool:
    """Whether a partition's value may be the one wanted; it is None where its name says nothing."""
    if isinstance(value, str):
        return value == wanted
    return not (isinstance(value, int) and wanted.isdecimal()) or value == int(wanted)
