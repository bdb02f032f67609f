"""Stop the store in the middle of a run, or let requests fail; the next run completes it all."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from signal import SIGKILL, SIGTERM
from threading import Thread

from tests.crash.driver import TASKS
from tests.crash.places import Buckets
from tests.crash.tiny import FIRST, SECOND
from tests.crash.trials import Trial, Trials
from tests.crash.zygote import End
from tests.servers.minio import MinioServer
from tests.servers.processes import Server
from tests.servers.proxy import FaultProxy, Weather


@dataclass(frozen=True)
class Disturbance:
    """A run whose store was disturbed, and what came of it.

    Attributes:
        number: Which; with the seed it tells what was random.
        what: What was done to the store.
        as_of: The logical time of the run.
        task: What the run was at when the server was stopped; empty when it was not.
        requests: How many of its requests failed on the way.
        is_completed: Whether the run itself did all; else the next one had to.
        seconds: How long it took.
        faults: What was wrong in the end.
    """

    number: int
    what: str
    as_of: str
    task: str = ""
    requests: int = 0
    is_completed: bool = False
    seconds: float = 0.0
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Disturber:
    """Disturbs the store of runs.

    Attributes:
        trials: Makes the runs.
        server: The server of all buckets.
        places: Makes stores in it.
        seed: Of all that is random.
    """

    trials: Trials
    server: MinioServer
    places: Buckets
    seed: int

    def restart(self, number: int, outages: Sequence[float] = (0.0, 1.0, 5.0, 15.0)) -> Disturbance:
        """Stop the server while a run is at one of its tasks, and start it again after a while.

        Args:
            number: Decides the task, in turn.
            outages: Seconds for which it may be away.
        """
        random = Random(f"{self.seed}:{number}")
        trial = self._begin(number // len(TASKS))
        blow, away = random.choice((SIGTERM, SIGKILL)), random.choice(outages)
        order = replace(
            trial.order("run"),
            strike_task=(task := TASKS[number % len(TASKS)]),
            strike_seconds=random.uniform(0, trial.whole.end.span(task)),
            strike_signal=blow,
            victim=self.server.process.pid,
        )
        nurse = Thread(target=_revive, args=(self.server.process, away), daemon=True)
        nurse.start()
        (end,) = self.trials.run(trial, order)
        if not end.struck:  # it ended before its moment came
            self.server.process.stop()
        nurse.join()
        what = f"{blow.name}, {away:g} s"
        made = Disturbance(number, what, trial.as_of, end.struck)
        return self._complete(made, trial, end)

    def storm(self, number: int, share: float = 0.05) -> Disturbance:
        """Make a run by way of a proxy that lets a share of its requests fail."""
        trial = self._begin(number)
        with FaultProxy.running(self.server.endpoint) as proxy:
            proxy.weather = Weather(hash((self.seed, number)), share)
            order = replace(trial.order("run"), env=trial.place.through(proxy.endpoint))
            (end,) = self.trials.run(trial, order)
        made = Disturbance(number, f"{share:.0%} fail", trial.as_of, requests=proxy.struck)
        return self._complete(made, trial, end)

    def _begin(self, turn: int) -> Trial:
        return self.trials.begin(self.places, (FIRST, SECOND)[turn % 2])

    def _complete(self, made: Disturbance, trial: Trial, end: End) -> Disturbance:
        faults = list(_faults(trial, end))
        faults += self.trials.complete(trial, is_audited=False)
        done = end.code == 0
        return replace(made, is_completed=done, seconds=end.seconds, faults=tuple(faults))


def _faults(trial: Trial, end: End) -> Iterator[str]:
    """Tell what is wrong before the next run: a run that says it did all must have done it."""
    if end.code == 0:
        yield from trial.faults(is_audited=False)
    elif end.code != 1:
        yield f"the run ended with {end.code} in {end.task}: see {end.log}"
    else:
        yield from trial.unsound()


def _revive(server: Server, seconds: float) -> None:
    """Wait until the server has been stopped, then start it again after so many seconds."""
    server.wait()
    time.sleep(seconds)
    server.start()
