"""Which file system a folder is on, read from the kernel's table of mounts."""

from pathlib import Path

import pytest

from tenantry.store.mounts import file_system

TABLE = """\
21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
35 21 0:30 / /data rw - nfs4 server:/export rw,vers=4.2
36 35 0:31 / /data/with\\040space rw - tmpfs tmpfs rw
37 21 8:2 / /twice rw - xfs /dev/sdb1 rw
38 21 8:3 / /twice rw master:3 - btrfs /dev/sdc1 rw
"""


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("/", "ext4 /dev/sda1"),
        ("/database", "ext4 /dev/sda1"),
        ("/data", "nfs4 server:/export"),
        ("/data/store/not/there/yet", "nfs4 server:/export"),
        ("/data/with space/store", "tmpfs tmpfs"),
        ("/twice/store", "btrfs /dev/sdc1"),
    ],
)
def test_the_mount_that_holds_a_folder_is_told(tmp_path, folder, told):
    table = tmp_path / "mountinfo"
    table.write_text(TABLE)
    assert file_system(Path(folder), table) == told


def test_without_a_table_the_device_is_told(tmp_path):
    told = file_system(tmp_path / "not/there", tmp_path / "none")
    assert told == f"device {tmp_path.stat().st_dev}"
