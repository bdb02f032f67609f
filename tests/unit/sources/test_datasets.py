"""A folder's listing is kept while nothing in it changes, and not a moment longer."""

import os
import shutil
import time
from pathlib import Path

import pandas as pd
import pytest

from tenantry.sources import datasets, stamps
from tenantry.sources.datasets import open_parquet


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two shops of three rows each, listed long after they were written."""
    monkeypatch.setattr(stamps, "SETTLED_NS", -1_000_000_000)
    monkeypatch.setattr(datasets, "_KEPT", {})
    for shop in ("acme", "bree"):
        write(tmp_path, shop, 3)
    return tmp_path


def write(folder: Path, shop: str, rows: int, name: str = "0.parquet", **columns: object) -> Path:
    place = folder / f"shop={shop}"
    place.mkdir(exist_ok=True)
    pd.DataFrame({"amount": [1.0] * rows} | columns).to_parquet(place / name)
    return place / name


def rows_of(folder: Path, **equals: str) -> int:
    return open_parquet(folder, equals).count_rows()


def listings(monkeypatch) -> list[Path]:
    """Note what is listed from now on."""
    listed: list[Path] = []
    really = datasets.open_dataset
    monkeypatch.setattr(
        datasets, "open_dataset", lambda path, form: listed.append(path) or really(path, form)
    )
    return listed


def test_partitions_of_other_values_are_left_out(folder):
    assert [rows_of(folder), rows_of(folder, shop="acme"), rows_of(folder, amount="1")] == [6, 3, 6]
    assert rows_of(folder, shop="none") == 6, "all of them where none is wanted: readers filter"
    assert open_parquet(folder, {"shop": "acme"}).schema.names == ["amount", "shop"]


def test_numbered_partitions_are_told_by_number(folder):
    for shop in ("acme", "bree"):
        shutil.rmtree(folder / f"shop={shop}")
    write(folder, "07", 1)
    write(folder, "8", 2)
    assert [rows_of(folder, shop=shop) for shop in ("7", "07", "8", "x")] == [1, 1, 2, 3]


def test_what_did_not_change_is_listed_once(folder, monkeypatch):
    listed = listings(monkeypatch)
    for shop in ("acme", "bree", "acme"):
        assert rows_of(folder, shop=shop) == 3
    assert listed == [folder]


def test_a_file_that_is_written_again_is_read_again(folder):
    assert rows_of(folder, shop="bree") == 3
    time.sleep(0.02)
    write(folder, "bree", 5)
    assert rows_of(folder, shop="bree") == 5


def test_every_change_is_noticed(folder, monkeypatch):
    changes = {
        "a new file": lambda: write(folder, "acme", 2, "1.parquet"),
        "a new partition": lambda: write(folder, "cora", 2),
        "a file written again": lambda: write(folder, "bree", 1),
        "a first file of another form": lambda: write(folder, "acme", 3, more=1),
        "a file taken away": (folder / "shop=bree" / "0.parquet").unlink,
    }
    found = []
    rows_of(folder)
    for change in changes.values():
        time.sleep(0.02)  # clocks of files are coarse
        change()
        found.append((rows_of(folder), "more" in open_parquet(folder, {}).schema.names))
    assert found == [(8, False), (10, False), (8, False), (8, True), (7, True)]
    listed = listings(monkeypatch)
    time.sleep(0.02)
    before = (folder / "shop=acme").stat()
    write(folder, "acme", 1, "2.parquet")
    os.utime(folder / "shop=acme", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (rows_of(folder), listed) == (8, [folder]), "though its time was set back"


def test_every_change_of_one_partition_is_noticed(folder, monkeypatch):
    below = folder / "shop=dora"  # whose own name tells nothing of what it holds
    below.mkdir()
    for shop in ("acme", "bree", "cora"):
        write(below, shop, 3)
    changes = {
        "a new file": lambda: write(below, "bree", 2, "1.parquet"),
        "a file in a new folder": lambda: write(below / "shop=bree", "bree", 4),
        "a file in that folder": lambda: write(below / "shop=bree", "bree", 1, "1.parquet"),
        "a file taken away": (below / "shop=bree" / "0.parquet").unlink,
        "a first file of another form": lambda: write(below, "acme", 3, "+.parquet", more=1),
    }
    found = [rows_of(below, shop="bree")]
    for change in changes.values():
        time.sleep(0.02)
        change()
        opened = open_parquet(below, {"shop": "bree"})
        found.append((opened.count_rows(), "more" in opened.schema.names))
    assert found == [3, (5, False), (9, False), (10, False), (7, False), (7, True)]
    listed = listings(monkeypatch)
    time.sleep(0.02)
    write(below, "cora", 1, "1.parquet")
    assert [rows_of(below, shop="bree"), listed] == [7, []], "another partition's change"
    assert [rows_of(below, shop="cora"), listed] == [4, [below]]


@pytest.mark.parametrize("what", ["just written", "behind a link", "too many"])
def test_what_may_change_unseen_is_not_kept(folder, monkeypatch, what):
    if what == "just written":
        monkeypatch.setattr(stamps, "SETTLED_NS", 2_000_000_000)
    elif what == "behind a link":
        shutil.move(folder / "shop=bree", folder.parent / "elsewhere")
        (folder / "shop=bree").symlink_to(folder.parent / "elsewhere")
    else:
        monkeypatch.setattr(datasets, "_MOST_FILES", 1)
    listed = listings(monkeypatch)
    assert [rows_of(folder), rows_of(folder)] == [6, 6]
    assert listed == [folder, folder]
    assert not datasets._KEPT, "what is listed anew would only take memory"


def test_footers_of_many_files_are_not_kept(folder, monkeypatch):
    monkeypatch.setattr(datasets, "_MOST_FOOTERS", 1)
    rows_of(folder, shop="acme")
    assert datasets._KEPT[folder].last is not None
    rows_of(folder)
    assert datasets._KEPT[folder].last is None


def test_few_folders_are_kept(folder, monkeypatch):
    monkeypatch.setattr(datasets, "_MOST_KEPT", 1)
    for place in (folder, folder / "shop=acme", folder / "shop=bree"):
        rows_of(place)
    assert len(datasets._KEPT) == 1
