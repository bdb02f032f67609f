"""Workers of a nursery: how they answer, die and overrun, and who can look into them."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest

from tenantry.errors import WorkerDiedError
from tenantry.isolation.nursery import Nursery, clean_environment, hide_memory, works_alone
from tenantry.jobs import Assignment, Job
from tenantry.ledger import STAGES, Entry
from tenantry.sources.connections import Connections
from tenantry.store.folder import FolderStore
from tenantry.workers import Task, run_tasks
from tests.unit.tiny_fleet import AS_OF, make_spec

NOBODY = 65534


@dataclass
class Calling:
    """Calls a function where it is unpickled: in the worker."""

    function: object
    argument: object

    def __reduce__(self):
        return self.function, (self.argument,)


@pytest.fixture(scope="module")
def nursery():
    with Nursery("check_fleet", []) as nursery:
        yield nursery


def task(tenant, assign, timeout=30.0):
    return Task(tenant, None, 4096, timeout, assign=assign)


def run(nursery, *tasks):
    return dict(run_tasks(tasks, 2, on_start=lambda _: None, nursery=nursery))


def test_a_worker_answers_with_an_outcome(nursery, tmp_path):
    make_job = partial(
        Job,
        run="r1",
        as_of=AS_OF,
        entry=Entry(tenant="ua"),
        store=FolderStore(tmp_path),
        connections=Connections(),
    )  # for no stage of a shard, so it fails: in the worker
    ua = Assignment("check_fleet", "ua", make_job, make_spec("ua"), 4096)
    outcomes = run(nursery, task("ua", lambda: ua), task("dl", lambda: replace(ua, tenant="dl")))
    assert [one.status for one in outcomes.values()] == ["failed", "failed"]
    assert outcomes["ua"].kind == "TypeError"
    assert outcomes["ua"].cost.peak_mib > 1


def test_it_tells_what_its_imports_took(nursery):
    assert 0.01 < nursery.import_seconds() < 60


def test_a_worker_that_dies_or_overruns_fails_its_tenant_only(nursery):
    outcomes = run(
        nursery,
        task("exits", lambda: Calling(os._exit, 3)),
        task("raises", lambda: Calling(int, "x")),
        task("slow", lambda: Calling(time.sleep, 60), timeout=0.2),
        task("killed", lambda: Calling(signal.raise_signal, signal.SIGKILL)),
    )
    assert all(isinstance(one, WorkerDiedError) for one in outcomes.values())
    assert "ended by itself with code 3" in str(outcomes["exits"])
    assert "ended by itself with code 1" in str(outcomes["raises"])
    assert "took longer than" in str(outcomes["slow"])
    assert "killed, probably for its memory" in str(outcomes["killed"])


def test_only_listed_names_reach_a_worker():
    environ = {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "s", "LAKE_PASSWORD": "p", "TZ": "UTC"}
    assert clean_environment(environ) == {"PATH": "/bin", "TZ": "UTC"}


def test_who_may_run_code_of_others_works_for_one_tenant_only(monkeypatch):
    monkeypatch.delenv("TENANTRY_RECIPES", raising=False)
    assert not any(works_alone(stage, "sts") for stage in STAGES)
    assert all(works_alone(stage, "process") for stage in STAGES)
    monkeypatch.setenv("TENANTRY_RECIPES", "recipes.yaml")
    for stage in STAGES:
        alone = works_alone(stage, "sts")
        assert alone is (stage not in {"ingest", "build_features"})
        assert ("TENANTRY_RECIPES" in clean_environment(alone=alone)) is alone


def in_child(function):
    """Call `function` as a user without rights; return what it wrote, and its number."""
    told, tell = os.pipe()
    pid = os.fork()
    if not pid:
        if os.getuid() == 0:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        try:
            os.write(tell, function())
        finally:
            os._exit(0)
    os.close(tell)
    return pid, told


def test_no_process_of_the_same_user_looks_into_one_that_hides():
    wait, go = os.pipe()

    def hide():
        hide_memory()
        os.write(ready, b"x")
        return os.read(wait, 1)

    started, ready = os.pipe()
    hidden, _ = in_child(hide)
    os.read(started, 1)

    def look():
        seen = b""
        for name in ("environ", "mem", "maps", "fd"):
            try:
                path = f"/proc/{hidden}/{name}"
                os.listdir(path) if name == "fd" else os.close(os.open(path, os.O_RDONLY))
                seen += name.encode()
            except PermissionError:
                seen += b"-"
        return seen

    _, told = in_child(look)
    assert os.read(told, 100) == b"----"
    os.write(go, b"x")
    for _ in range(2):
        os.wait()


ALONE = """
import sys, time
from tenantry.isolation.nursery import Nursery

if __name__ == "__main__":
    nursery = Nursery("check_fleet", [])
    process, pipe = nursery.fork()
    print(nursery._process.pid, process._pid, flush=True)
    time.sleep(60)
"""


def test_nursery_and_workers_end_with_the_shard():
    shard = subprocess.Popen([sys.executable, "-c", ALONE], stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in shard.stdout.readline().split()]
    shard.kill()
    shard.communicate()
    for pid in pids:
        for _ in range(1000):
            if not _is_running(pid):
                break
            time.sleep(0.01)
        else:
            pytest.fail("a process outlived its shard")


def _is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
