"""A run that is killed anywhere is completed by the next one; `make crash-test` kills many more."""

import pytest

from tests.crash.driver import TASKS
from tests.crash.kills import Kill, Killer, table
from tests.crash.places import Buckets, Folders

KILLS = 5
SEED = 20261124


@pytest.mark.parametrize("store", ["folder", "minio"])
def test_after_a_kill_the_next_run_leaves_what_an_undisturbed_one_does(
    store, zygote, tiny_fleet, tmp_path, request
):
    if store == "minio":
        kinds = (Buckets(request.getfixturevalue("minio_server")),)
    else:
        kinds = (Folders(tmp_path),)
    killer = Killer(zygote, tmp_path, tiny_fleet, kinds, SEED)
    kills = [killer.kill(number) for number in range(KILLS)]
    assert [(kill.number, kill.faults) for kill in kills if kill.faults] == []
    assert any(kill.tasks for kill in kills)


def test_the_table_counts_each_task_hit_by_store():
    kills = [
        Kill(0, "folder", "2013-10-01", ("train",)),
        Kill(1, "minio", "2013-11-01", ("train", "plan")),
        Kill(2, "minio", "2013-11-01"),
    ]
    lines = {line.split()[0]: line.split()[1:] for line in table(kills).splitlines()[1:]}
    assert lines["train"] == ["1", "1", "2"]
    assert lines["plan"] == ["0", "1", "1"]
    assert lines["all"] == ["1", "2", "3"]
    assert list(lines) == [*TASKS, "all"]
