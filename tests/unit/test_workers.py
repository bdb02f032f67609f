import multiprocessing
import os
import signal
import time
from contextlib import suppress
from functools import partial

import pytest

from tenantry.errors import WorkerDiedError
from tenantry.isolation.errands import ERRAND
from tenantry.ledger import Cost, Outcome
from tenantry.workers import Task, run_tasks

MIB = 4096


def task(tenant, run, *, memory_mib=MIB, timeout_seconds=30.0):
    return Task(tenant, run, memory_mib, timeout_seconds)


def done(message=""):
    return lambda: Outcome(stage="train", status="done", message=message)


def run_all(tasks, workers=2):
    started = []
    outcomes = dict(run_tasks(tasks, workers, on_start=started.append))
    return outcomes, started


def kill_itself(number):
    return lambda: os.kill(os.getpid(), number)


def test_runs_every_task_once():
    outcomes, started = run_all([task(f"t{n}", done(str(n))) for n in range(7)])
    assert {tenant: outcome.message for tenant, outcome in outcomes.items()} == {
        f"t{n}": str(n) for n in range(7)
    }
    assert sorted(started) == sorted(outcomes)


def test_no_tasks_end_at_once():
    assert run_all([]) == ({}, [])


def test_runs_in_other_processes_at_most_as_many_as_asked():
    tasks = [
        task(f"t{n}", lambda: Outcome(stage="train", status="done", facts={"pid": os.getpid()}))
        for n in range(6)
    ]
    outcomes, _ = run_all(tasks, workers=2)
    pids = {outcome.facts["pid"] for outcome in outcomes.values()}
    assert os.getpid() not in pids
    assert len(pids) <= 2


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (signal.SIGKILL, "killed, probably for its memory; raise resources.memory_mib"),
        (signal.SIGUSR1, "died of SIGUSR1"),
    ],
)
def test_a_killed_worker_fails_its_tenant_only(number, words):
    tasks = [task("good", done()), task("bad", kill_itself(number)), task("also-good", done())]
    outcomes, _ = run_all(tasks, workers=1)
    assert isinstance(outcomes["bad"], WorkerDiedError)
    assert words in str(outcomes["bad"])
    assert outcomes["good"].status == outcomes["also-good"].status == "done"


def test_a_worker_that_exits_is_told():
    outcomes, _ = run_all([task("bad", lambda: os._exit(3))])
    assert "ended by itself with code 3" in str(outcomes["bad"])


def test_an_overrun_is_ended_and_named():
    tasks = [task("slow", lambda: time.sleep(60), timeout_seconds=0.2), task("quick", done())]
    outcomes, _ = run_all(tasks, workers=1)
    assert "took longer than 0 s; raise resources.timeout" in str(outcomes["slow"])
    assert outcomes["quick"].status == "done"


def test_memory_is_limited_while_a_task_runs():
    def greedy():
        try:
            return Outcome(stage="train", status="done", facts={"size": len(bytearray(700 << 20))})
        except MemoryError:
            return Outcome(stage="train", status="failed")

    outcomes, _ = run_all([task("greedy", greedy, memory_mib=512), task("roomy", greedy)], 1)
    assert outcomes["greedy"].status == "failed"
    assert outcomes["roomy"].status == "done"


def test_a_generator_left_early_leaves_no_process():
    tasks = [task(f"t{n}", done()) for n in range(3)] + [task("slow", lambda: time.sleep(60))]
    running = run_tasks(tasks, 2, on_start=lambda _: None)
    next(running)
    running.close()
    assert multiprocessing.active_children() == []


def test_a_worker_that_dies_idle_costs_nobody_anything():
    tasks = [task(f"t{n}", done()) for n in range(4)]
    found = {}
    running = run_tasks(tasks, 1, on_start=lambda _: None)
    tenant, outcome = next(running)
    found[tenant] = outcome
    for child in multiprocessing.active_children():
        child.kill()
        child.join()
    found |= dict(running)
    assert {tenant: outcome.status for tenant, outcome in found.items()} == {
        f"t{n}": "done" for n in range(4)
    }


class Forks:
    """Forks workers that do what they like with their pipe."""

    def __init__(self, *bodies, alone=False):
        self.bodies, self.alone = list(bodies), alone

    def fork(self):
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        process = context.Process(target=self._work, args=(ours, self.bodies.pop(0), theirs))
        process.start()
        theirs.close()
        return process, ours

    def _work(self, ours, body, theirs):
        ours.close()
        body(theirs)


def work(pipe):
    pipe.recv()
    pipe.send_bytes(ERRAND + bytes(300_000))
    size = len(pipe.recv_bytes())
    pipe.send_bytes(Outcome(stage="train", status="done", facts={"size": size}).to_json())


def begin_to_speak(pipe):
    os.write(pipe.fileno(), b"\0\0\0\x09x")
    time.sleep(60)


def listen_to_nothing(pipe):
    pipe.send_bytes(ERRAND)
    time.sleep(60)


def speak_without_end(pipe):
    while True:
        pipe.send_bytes(ERRAND)
        pipe.recv_bytes()


@pytest.mark.parametrize("body", [begin_to_speak, listen_to_nothing, speak_without_end])
def test_a_worker_that_keeps_the_shard_busy_overruns_alone(body):
    answer = bytes(1 << 20).__add__
    tasks = [
        Task("bad", done(), MIB, 0.3, answer=answer),
        Task("good", done(), MIB, 30.0, answer=answer),
    ]
    running = run_tasks(tasks, 2, on_start=lambda _: None, nursery=Forks(body, work))
    outcomes = dict(running)
    assert "raise resources.timeout" in str(outcomes["bad"])
    assert outcomes["good"].facts["size"] == (1 << 20) + len(ERRAND) + 300_000


@pytest.mark.parametrize("length", [b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff"])
def test_a_message_that_is_too_long_is_not_read(length):
    def announce(pipe):
        os.write(pipe.fileno(), length)

    running = run_tasks([task("bad", done())], 1, on_start=lambda _: None, nursery=Forks(announce))
    assert isinstance(dict(running)["bad"], WorkerDiedError)


def test_a_worker_that_lives_on_without_its_pipe_is_ended(monkeypatch):
    monkeypatch.setattr("tenantry.workers._GRACE_SECONDS", 0.1)

    def hang_up(pipe):
        pipe.recv()
        pipe.close()
        time.sleep(60)

    running = run_tasks([task("bad", done())], 1, on_start=lambda _: None, nursery=Forks(hang_up))
    assert isinstance(dict(running)["bad"], WorkerDiedError)


def work_on(pipe):
    """Work for tenant after tenant, as they say how it ends."""
    with suppress(EOFError):
        while True:
            outcome = Outcome(stage="train", status=pipe.recv(), facts={"pid": os.getpid()})
            pipe.send_bytes(outcome.to_json())


def workers_of(*statuses, alone=False):
    tasks = [
        Task(f"t{n}", None, MIB, 30.0, assign=lambda status=status: status)
        for n, status in enumerate(statuses)
    ]
    forks = Forks(*[work_on] * len(tasks), alone=alone)
    outcomes = dict(run_tasks(tasks, 1, on_start=lambda _: None, nursery=forks))
    assert [outcomes[one.tenant].status for one in tasks] == list(statuses)
    return [outcomes[one.tenant].facts["pid"] for one in tasks]


def test_a_nurserys_worker_goes_on_until_a_tenant_fails():
    first, second, third, fourth = workers_of("done", "fell_back", "failed", "done")
    assert first == second == third != fourth
    assert len(set(workers_of("failed", "failed"))) == 2


def test_a_worker_that_held_much_leaves_the_next_tenant_to_another():
    def hold(mib):
        facts = {"pid": os.getpid()}
        return Outcome(stage="train", status="done", facts=facts, cost=Cost(peak_mib=mib))

    limits = {"small": 1024, "as-small": 1024, "big": 4096, "after": 4096, "tiny": 256}
    held = {"small": 200, "as-small": 200, "big": 2049, "after": 200, "tiny": 100}
    tasks = [task(name, partial(hold, held[name]), memory_mib=limits[name]) for name in limits]
    outcomes, _ = run_all(tasks, workers=1)
    pids = [outcomes[name].facts["pid"] for name in limits]
    assert pids[0] == pids[1] == pids[2], "together they held little"
    assert len({*pids[2:]}) == 3


def test_a_nursery_may_give_each_tenant_a_worker_of_its_own():
    assert len(set(workers_of("done", "done", "done", alone=True))) == 3
