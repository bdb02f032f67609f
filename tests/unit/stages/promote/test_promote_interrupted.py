"""A decision that is interrupted anywhere, or made by two runs at once, is one decision."""

from contextlib import suppress
from dataclasses import replace

import pytest

from tenantry.champions import read_champion
from tenantry.errors import ChampionMovedError
from tenantry.stages.promote import promote
from tenantry.truth import read_state
from tests.unit.erasure.killed import Killed, KillingStore
from tests.unit.memory_store import MemoryStore
from tests.unit.stages.tenancy import Tenancy
from tests.unit.tiny_fleet import AS_OF

PRODUCT, TENANT = "arrival-delay", "ua"


@pytest.fixture(params=[0.0, 3.0], ids=["promoted", "fell back"])
def tenancy(request):
    """A tenant with a challenger: one that is crowned, or one whose place the base rate takes."""
    made = Tenancy()
    made.store = Recording()
    made.challenger = made.train(AS_OF, noise=request.param)
    made.promote_job(AS_OF, made.challenger)
    return made


class Recording(MemoryStore):
    """Remembers all that is written, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[tuple[str, bytes]] = []

    def _write(self, key: str, content: bytes) -> str:
        self.written.append((key, content))
        return super()._write(key, content)


class Meanwhile(MemoryStore):
    """Lets another run go on with its writes each time that something was read."""

    def __init__(self, objects, writes, rate: int) -> None:
        super().__init__()
        self.objects |= objects
        self.writes, self.rate = list(writes), rate

    def go_on(self, many: int) -> None:
        for key, content in self.writes[:many]:
            if key not in self.objects:
                self.put(key, content)
        del self.writes[:many]

    def get(self, key):
        try:
            return super().get(key)
        finally:
            self.go_on(self.rate)

    def list(self, prefix):
        found = list(super().list(prefix))
        self.go_on(self.rate)
        return iter(found)


def contents(store):
    return {key: one.content for key, one in store.objects.items()}


def whole(tenancy):
    """Decide; return what there was before, what was written, and what there is then."""
    before, first = dict(tenancy.store.objects), len(tenancy.store.written)
    promote(tenancy.promote_job(AS_OF, tenancy.challenger))
    return before, tenancy.store.written[first:], contents(tenancy.store)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_decision_that_was_killed_anywhere_is_due_again_or_complete(tenancy, after):
    before, written, wanted = whole(tenancy)
    job = tenancy.promote_job(AS_OF, tenancy.challenger)
    for at in range(1, len(written) + 1):
        store = MemoryStore()
        store.objects |= before
        with suppress(Killed):
            promote(replace(job, store=KillingStore(store, at, after=after)))
        if read_state(store, PRODUCT, TENANT).as_of(AS_OF).attempt is None:
            promote(replace(job, store=store))
        assert contents(store) == wanted


@pytest.mark.parametrize("rate", [1, 2, 3])
def test_two_runs_at_once_make_one_decision(tenancy, rate):
    before, written, wanted = whole(tenancy)
    job = tenancy.promote_job(AS_OF, tenancy.challenger)
    for done in range(len(written) + 1):
        store = Meanwhile(before, written, rate)
        store.go_on(done)
        promote(replace(job, store=store))
        store.go_on(len(written))
        assert contents(store) == wanted


class Overtaken(MemoryStore):
    """Lets another run decide just before the first champion is crowned."""

    def __init__(self, objects, decide) -> None:
        super().__init__()
        self.objects |= objects
        self.decide = decide

    def put_if_absent(self, key, content):
        if key.endswith("champion.json") and self.decide:
            decide, self.decide = self.decide, None
            decide()
        return super().put_if_absent(key, content)


def test_of_two_runs_with_other_specs_the_one_that_is_overtaken_decides_anew():
    """Specs may change between two runs of one slot: neither may crown over the other unseen."""
    tenancy = Tenancy()
    ours = tenancy.promote_job(AS_OF, tenancy.train(AS_OF))
    changed = tenancy.with_spec(timezone="America/New_York")
    theirs = changed.promote_job(AS_OF, changed.train(AS_OF, "encoded"))
    store = Overtaken(tenancy.store.objects, lambda: promote(replace(theirs, store=store)))
    with pytest.raises(ChampionMovedError, match="reigns by now, not none"):
        promote(replace(ours, store=store))
    (reign,) = read_champion(store, PRODUCT, TENANT).reigns
    promote(replace(ours, store=store))
    first, *others = read_champion(store, PRODUCT, TENANT).reigns
    assert first == reign
    assert [(one.turn, one.previous) for one in others] in ([], [(1, reign.version)])
