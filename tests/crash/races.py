"""Let many runs of one slot race; the store must end as one undisturbed run leaves it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tests.crash.compare import moves, predicted
from tests.crash.places import Places
from tests.crash.tiny import FIRST, SECOND
from tests.crash.trials import Trial, Trials


@dataclass(frozen=True)
class Race:
    """Runs of one slot that were made at once, and what came of them.

    Attributes:
        number: Which.
        store: The kind of store.
        as_of: The slot.
        working: How many of the runs found work to do when they planned.
        promotions: How often the champions' pointers moved, over all tenants.
        wanted: How often an undisturbed run moves them.
        windows: How many windows were predicted by then, over all tenants.
        faults: What was wrong in the end.
    """

    number: int
    store: str
    as_of: str
    working: int
    promotions: int
    wanted: int
    windows: int
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Racer:
    """Lets runs race.

    Attributes:
        trials: Makes the runs.
        kinds: Kinds of stores, in turn.
        runs: How many at once.
    """

    trials: Trials
    kinds: Sequence[Places]
    runs: int

    def race(self, number: int) -> Race:
        """Make runs of one slot at once, packed into one shard or two; compare."""
        turn, kind = divmod(number, len(self.kinds))
        places = self.kinds[kind]
        trial = self.trials.begin(places, (FIRST, SECOND)[turn % 2])
        faults = tuple(self._faults(trial))
        store, whole = trial.place.store, trial.whole
        race = Race(
            number,
            places.name,
            trial.as_of,
            working=len(list(store.list_folders("runs/"))) - (whole.base is not None),
            promotions=sum(_moved(trial).values()),
            wanted=sum(whole.moves.values()),
            windows=len({(tenant, window) for tenant, window, _ in predicted(store)}),
            faults=faults,
        )
        if not faults:
            places.remove(trial.place)
        return race

    def _faults(self, trial: Trial) -> Iterator[str]:
        orders = (replace(trial.order(f"race-{n}"), max_shards=1 + n % 2) for n in range(self.runs))
        for end in self.trials.run(trial, *orders):
            if end.code:
                yield f"{end.run} failed in {end.task}: see {end.log}"
        yield from trial.faults()
        store = trial.place.store
        for tenant, moved in _moved(trial).items():
            if moved != (wanted := trial.whole.moves[tenant]):
                yield f"{tenant}: the champion moved {moved} times, not {wanted}"
        for (tenant, window, model), times in predicted(store).items():
            if times > 1:
                yield f"{tenant}: {window} was predicted {times} times by {model}"
        left = [info.key for info in store.list("") if _is_of_workers(info.key)]
        yield from (f"left: {key}" for key in left)
        yield from (f"no object: {name}" for name in trial.places.remains(trial.place))
        yield from self.trials.repeat(trial)


def _moved(trial: Trial) -> dict[str, int]:
    base = trial.whole.base
    before = moves(base.store) if base else {}
    return {name: n - before.get(name, 0) for name, n in moves(trial.place.store).items()}


def _is_of_workers(key: str) -> bool:
    """Say whether an object tells who is being worked on: nobody is any more."""
    return "/at-work/" in key or "/open/" in key
