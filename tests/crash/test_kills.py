"""A run that is killed anywhere is completed by the next one; `make crash-test` kills many more."""

import pytest

from tests.crash.driver import TASKS
from tests.crash.kills import Killer, table

KILLS = 5
SEED = 20261124


@pytest.mark.parametrize("store", ["folders", "buckets"])
def test_after_a_kill_the_next_run_leaves_what_an_undisturbed_one_does(store, trials, request):
    killer = Killer(trials, (request.getfixturevalue(store),), SEED)
    kills = [killer.kill(number) for number in range(KILLS)]
    assert [(kill.number, kill.faults) for kill in kills if kill.faults] == []
    assert any(kill.tasks for kill in kills)


def test_the_table_counts_each_task_hit_by_store():
    hits = [("train", "folder"), ("train", "minio"), ("plan", "minio")]
    lines = {line.split()[0]: line.split()[1:] for line in table(hits).splitlines()[1:]}
    assert lines["train"] == ["1", "1", "2"]
    assert lines["plan"] == ["0", "1", "1"]
    assert lines["all"] == ["1", "2", "3"]
    assert list(lines) == [*TASKS, "all"]
