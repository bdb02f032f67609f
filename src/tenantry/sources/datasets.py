"""Files as Arrow datasets. What a folder of Parquet files holds is kept until something changes.

A process reads many tenants' rows from one folder, one after the other, and each wants few of its
partitions. To list the folder anew for each takes longer than to read the rows.
"""

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pyarrow.dataset as ds

_MOST_KEPT = 8
_MOST_FILES = 20_000
"""Of a folder that is kept: some hundred bytes each."""

_SETTLED_NS = 2_000_000_000
"""How old a change must be: a later one may have the same time, clocks of files being coarse."""

_Stamp = tuple[int, int]
"""When a file or folder was changed last, nanoseconds, and its number in the file system."""

_NEVER: _Stamp = (0, 0)


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
    if kept is None or not kept.holds():
        kept = _Folder.of(path)
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        _KEPT[path] = kept
    return kept.select(equals)


@dataclass(frozen=True)
class _Folder:
    """A folder of Parquet files, or one file.

    Attributes:
        dataset: All of it.
        partitions: Of each file what its name says of its rows: an expression, column → value.
        stamps: Folder, or first file → when it was changed last; empty where it is not to be kept.
    """

    dataset: ds.FileSystemDataset
    partitions: tuple[tuple[ds.Expression, Mapping[str, object]], ...]
    stamps: Mapping[str, _Stamp]

    @classmethod
    def of(cls, path: Path) -> Self:
        now = time.time_ns()
        stamps = dict(_folder_stamps(os.fspath(path)))
        dataset = open_dataset(path, ds.ParquetFileFormat())
        for first in dataset.files[:1]:  # whose schema is that of all
            stamps[first] = _stamp(first)
        told = [one.partition_expression for one in dataset.get_fragments()]
        partitions = tuple((one, ds.get_partition_keys(one)) for one in told)
        is_settled = all(0 < changed < now - _SETTLED_NS for changed, _ in stamps.values())
        is_kept = is_settled and len(partitions) <= _MOST_FILES
        return cls(dataset, partitions, stamps if is_kept else {})

    def holds(self) -> bool:
        """Say whether the folder surely is as it was."""
        stamps = self.stamps.items()
        return bool(stamps) and all(_stamp(path) == stamp for path, stamp in stamps)

    def select(self, equals: Mapping[str, str]) -> ds.FileSystemDataset:
        """Return the files that may hold wanted rows, read anew; all of them where none may."""
        whole = self.dataset
        fragments = [
            whole.format.make_fragment(file, whole.filesystem, expression)
            for file, (expression, values) in zip(whole.files, self.partitions, strict=True)
            if all(_may_be(values.get(name), wanted) for name, wanted in equals.items())
        ]
        if not fragments:
            return whole
        return ds.FileSystemDataset(fragments, whole.schema, whole.format, whole.filesystem)


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
