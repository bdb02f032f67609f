"""Kill a run at a random point, let the next one end, and compare with an undisturbed fleet."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from tenantry.plans import read_plan
from tenantry.states import TenantRecord
from tests.crash.compare import contents, differences, index_faults, joined_index, stale_markers
from tests.crash.driver import TASKS, Order
from tests.crash.places import Place, Places
from tests.crash.tiny import FIRST, SECOND
from tests.crash.zygote import End, Zygote


@dataclass(frozen=True)
class Whole:
    """An undisturbed run, what others are measured by.

    Attributes:
        base: What the run began with; None for an empty store.
        contents: What it left.
        index: What its index knows.
        seconds: How long it took.
        operations: Its operations on the store.
    """

    base: Place | None
    contents: dict[str, bytes]
    index: dict[str, TenantRecord]
    seconds: float
    operations: int


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


@dataclass
class Killer:
    """Kills runs.

    Attributes:
        zygote: Makes the runs.
        home: A folder for what they hand over.
        env: Where specs and sources are.
        kinds: Kinds of stores, in turn.
        seed: Of all that is random.
    """

    zygote: Zygote
    home: Path
    env: dict[str, str]
    kinds: Sequence[Places]
    seed: int
    _wholes: dict[tuple[str, str], Whole] = field(default_factory=dict)

    def kill(self, number: int) -> Kill:
        """Kill a run, sometimes the next one as well; run to the end and compare."""
        random = Random(f"{self.seed}:{number}")
        places, as_of = self.kinds[number % len(self.kinds)], random.choice((FIRST, SECOND))
        whole = self._whole(places, as_of)
        place = places.new(whole.base)
        kill = Kill(number, places.name, as_of)
        for turn in range(1 + (random.random() < 0.25)):
            end = self._run(place, self._doomed(random, f"kill-{number}-{turn}", as_of, whole))
            if not end.is_killed:
                break
            kill = replace(kill, tasks=(*kill.tasks, end.task))
        kill = replace(kill, faults=tuple(self._faults(places, place, whole, kill)))
        if not kill.faults:
            places.remove(place)
        return kill

    def _doomed(self, random: Random, run: str, as_of: str, whole: Whole) -> Order:
        order = replace(self._order(run, as_of), max_shards=random.choice((1, 2)))
        if random.random() < 0.5:
            return replace(order, kill_seconds=random.uniform(0, whole.seconds))
        return replace(order, kill_operation=random.randint(1, whole.operations))

    def _faults(self, places: Places, place: Place, whole: Whole, kill: Kill) -> Iterator[str]:
        number = kill.number
        last = self._run(place, self._order(f"last-{number}", kill.as_of))
        if last.code:
            yield f"the run after the kill failed in {last.task}: see {last.log}"
            return
        runs = ("base", f"kill-{number}-0", f"kill-{number}-1", f"last-{number}")
        yield from differences(whole.contents, contents(place.store, runs))
        yield from index_faults(place.store, whole.index)
        yield from stale_markers(place.store, f"last-{number}")
        if read_plan(place.store, f"last-{number}"):  # the next writer removes drafts
            yield from (f"no object: {name}" for name in places.remains(place))
        before = list(place.store.list(""))
        again = self._run(place, self._order(f"again-{number}", kill.as_of))
        if again.code or list(place.store.list("")) != before:
            yield f"a further run found something to do: see {again.log}"

    def _whole(self, places: Places, as_of: str) -> Whole:
        """Make the undisturbed runs of a kind of store, once."""
        if (places.name, as_of) not in self._wholes:
            place = self._make_whole(places, None, "base", FIRST)
            self._make_whole(places, place, "whole", SECOND)
        return self._wholes[places.name, as_of]

    def _make_whole(self, places: Places, base: Place | None, run: str, as_of: str) -> Place:
        place = places.new(base)
        end = self._run(place, self._order(run, as_of))
        if end.code:
            raise RuntimeError(Path(end.log).read_text()[-3000:])
        made = contents(place.store, ("base", "whole"))
        index = joined_index(place.store)
        self._wholes[places.name, as_of] = Whole(base, made, index, end.seconds, end.operations)
        return place

    def _order(self, run: str, as_of: str) -> Order:
        return Order(run, as_of, str(self.home / "runs"), max_shards=1)

    def _run(self, place: Place, order: Order) -> End:
        home = f"{order.home}/{place.name}"
        (end,) = self.zygote.run(replace(order, home=home, env=self.env | place.env))
        return end


def table(kills: Iterable[Kill]) -> str:
    """Return how often each task was hit on each kind of store, as text."""
    hits = Counter((task, kill.store) for kill in kills for task in kill.tasks)
    stores = sorted({store for _, store in hits})
    lines = [f"{'killed in':<16}" + "".join(f"{store:>10}" for store in (*stores, "both"))]
    for task in (*TASKS, "all"):
        tasks = TASKS if task == "all" else (task,)
        counts = [sum(hits[one, store] for one in tasks) for store in stores]
        lines.append(f"{task:<16}" + "".join(f"{n:>10}" for n in (*counts, sum(counts))))
    return "\n".join(lines)
