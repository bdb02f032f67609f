"""Runs in stores of their own, each of which must end as an undisturbed one's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tenantry.plans import read_plan
from tenantry.states import TenantRecord
from tests.crash.compare import (
    contents,
    differences,
    index_faults,
    joined_index,
    moves,
    stale_markers,
    without_failures,
)
from tests.crash.driver import Order
from tests.crash.places import Place, Places
from tests.crash.sound import find_unsound
from tests.crash.tiny import FIRST, SECOND
from tests.crash.zygote import End, Zygote


@dataclass(frozen=True)
class Whole:
    """An undisturbed run, what others are measured by.

    Attributes:
        base: What the run began with; None for an empty store.
        contents: What it left.
        index: What its index knows.
        moves: Tenant → how often its champion's pointer moved in the run.
        end: How it went.
    """

    base: Place | None
    contents: dict[str, bytes]
    index: dict[str, TenantRecord]
    moves: dict[str, int]
    end: End


@dataclass(frozen=True)
class Trial:
    """A store in which runs are disturbed.

    Attributes:
        places: Its kind.
        place: The store.
        as_of: The logical time of its runs.
        whole: What it must hold in the end.
    """

    places: Places
    place: Place
    as_of: str
    whole: Whole

    def order(self, run: str) -> Order:
        """Return the order for a run that nothing disturbs."""
        return Order(run, self.as_of, "", env=self.place.env, max_shards=1)

    def unsound(self) -> Iterator[str]:
        """Tell what in the store is not whole by itself; nothing may be so at any time."""
        return find_unsound(self.place.store)

    def faults(self, *, is_audited: bool = True) -> Iterator[str]:
        """Tell what in the store is not whole, or not as an undisturbed run leaves it.

        Args:
            is_audited: Whether failures and recoveries must be the same, too.
        """
        store, whole = self.place.store, self.whole
        yield from self.unsound()
        wanted, found = whole.contents, contents(store)
        if not is_audited:
            wanted, found = without_failures(wanted), without_failures(found)
        yield from differences(wanted, found)
        yield from index_faults(store, whole.index, is_audited=is_audited)


@dataclass
class Trials:
    """Makes trials, and the undisturbed runs that they are measured by.

    Attributes:
        zygote: Makes the runs.
        home: A folder for what they hand over.
        env: Where specs and sources are.
    """

    zygote: Zygote
    home: Path
    env: Mapping[str, str]
    _wholes: dict[tuple[str, str], Whole] = field(default_factory=dict)

    def begin(self, places: Places, as_of: str) -> Trial:
        """Make a store that holds what there was before the run of `as_of`."""
        whole = self._whole(places, as_of)
        return Trial(places, places.new(whole.base), as_of, whole)

    def run(self, trial: Trial, *orders: Order) -> list[End]:
        """Make runs, all at once, and wait until each has ended."""
        return self._run(trial.place, *orders)

    def complete(self, trial: Trial, *, is_audited: bool = True) -> Iterator[str]:
        """Make the next run, and tell what is wrong after it; remove the store when nothing is."""
        (last,) = self.run(trial, trial.order("last"))
        if last.code:
            yield f"the next run failed in {last.task}: see {last.log}"
            return
        store = trial.place.store
        faults = [*trial.faults(is_audited=is_audited), *stale_markers(store, "last")]
        if read_plan(store, "last"):  # the next writer removes drafts
            faults += [f"no object: {name}" for name in trial.places.remains(trial.place)]
        faults += self.repeat(trial)
        yield from faults
        if not faults:
            trial.places.remove(trial.place)

    def repeat(self, trial: Trial) -> Iterator[str]:
        """Make one more run, and tell when it found anything to do."""
        before = list(trial.place.store.list(""))
        (again,) = self.run(trial, trial.order("again"))
        if again.code or list(trial.place.store.list("")) != before:
            yield f"a further run found something to do: see {again.log}"

    def _whole(self, places: Places, as_of: str) -> Whole:
        """Make the undisturbed runs of a kind of store, once."""
        if (places.name, as_of) not in self._wholes:
            place = self._make_whole(places, None, "base", FIRST)
            self._make_whole(places, place, "whole", SECOND)
        return self._wholes[places.name, as_of]

    def _make_whole(self, places: Places, base: Place | None, run: str, as_of: str) -> Place:
        place = places.new(base)
        (end,) = self._run(place, Order(run, as_of, "", env=place.env, max_shards=1))
        if end.code:
            raise RuntimeError(Path(end.log).read_text()[-3000:])
        if faults := list(find_unsound(place.store)):
            raise RuntimeError("\n".join(faults))
        before = moves(base.store) if base else {}
        moved = {name: n - before.get(name, 0) for name, n in moves(place.store).items()}
        made, index = contents(place.store), joined_index(place.store)
        self._wholes[places.name, as_of] = Whole(base, made, index, moved, end)
        return place

    def _run(self, place: Place, *orders: Order) -> list[End]:
        home = str(self.home / "runs" / place.name)
        told = (replace(order, home=home, env={**self.env, **order.env}) for order in orders)
        return self.zygote.run(*told)
