"""Kill a run at a random point, let the next one end, and compare with an undisturbed fleet."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random

from tests.crash.driver import TASKS, Order
from tests.crash.places import Places
from tests.crash.tiny import FIRST, SECOND
from tests.crash.trials import Trial, Trials


@dataclass(frozen=True)
class Kill:
    """A run that was killed, and what came of it.

    Attributes:
        number: Which; with the seed it tells all that was random.
        store: The kind of store.
        as_of: The logical time of the run.
        tasks: What the run was at when it was killed; several when the next was killed, too.
        faults: What was wrong in the end.
    """

    number: int
    store: str
    as_of: str
    tasks: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Killer:
    """Kills runs.

    Attributes:
        trials: Makes the runs.
        kinds: Kinds of stores, in turn.
        seed: Of all that is random.
    """

    trials: Trials
    kinds: Sequence[Places]
    seed: int

    def kill(self, number: int) -> Kill:
        """Kill a run, sometimes the next one as well; run to the end and compare."""
        random = Random(f"{self.seed}:{number}")
        places, as_of = self.kinds[number % len(self.kinds)], random.choice((FIRST, SECOND))
        trial = self.trials.begin(places, as_of)
        kill, faults = Kill(number, places.name, as_of), []
        for turn in range(1 + (random.random() < 0.25)):
            (end,) = self.trials.run(trial, _doomed(random, trial, f"kill-{turn}"))
            if not end.is_killed:
                break
            kill = replace(kill, tasks=(*kill.tasks, end.struck))
            faults += trial.unsound()
        return replace(kill, faults=(*faults, *self.trials.complete(trial)))


def _doomed(random: Random, trial: Trial, run: str) -> Order:
    """Return the order for a run that dies at a moment of it or of a task, or in a write."""
    order = replace(trial.order(run), max_shards=random.choice((1, 2)))
    whole, how = trial.whole.end, random.choice(("moment", "task", "operation"))
    if how == "moment":
        return replace(order, strike_seconds=random.uniform(0, whole.seconds))
    if how == "operation":
        return replace(order, strike_operation=random.randint(1, whole.operations))
    task = random.choice(TASKS)
    seconds = random.uniform(0, whole.span(task))
    return replace(order, strike_task=task, strike_seconds=seconds)


def table(hits: Iterable[tuple[str, str]]) -> str:
    """Return as text how often each task was hit, by what stands beside it (a kind of store)."""
    counts = Counter(hits)
    kinds = sorted({kind for _, kind in counts})
    lines = [f"{'hit in':<16}" + "".join(f"{kind:>10}" for kind in (*kinds, "all"))]
    for task in (*TASKS, "all"):
        tasks = TASKS if task == "all" else (task,)
        row = [sum(counts[one, kind] for one in tasks) for kind in kinds]
        lines.append(f"{task:<16}" + "".join(f"{n:>10}" for n in (*row, sum(row))))
    return "\n".join(lines)
