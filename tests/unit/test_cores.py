import os

import pytest

from tenantry.cores import count_cores

CORES = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("written", "cores"),
    [
        ("max 100000\n", CORES),
        ("100000 100000\n", 1),
        ("50000 100000\n", 1),
        ("150000 100000\n", min(2, CORES)),
        ("99900000 100000\n", CORES),
        ("nonsense\n", CORES),
    ],
)
def test_a_containers_limit_counts(tmp_path, written, cores):
    limit = tmp_path / "cpu.max"
    limit.write_text(written)
    assert count_cores(limit) == cores


def test_without_a_control_group_the_processs_cores_count(tmp_path):
    assert count_cores(tmp_path / "none") == CORES
