"""What a run is asked to do: the parameters of the pipeline, checked in one place."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast, get_args

from tenantry.errors import Fault, PlanError
from tenantry.ledger import ModelChoice
from tenantry.times import Window, parse_moment, windows_between


@dataclass(frozen=True)
class Backfill:
    """An order to predict windows of the past, whatever their age.

    Attributes:
        since: The first window begins then or later.
        until: The last window begins before.
        model: Which model predicts them: that which reigned `then`, when the window began, or the
            `current` champion.
    """

    since: datetime
    until: datetime
    model: ModelChoice = "then"

    def windows(self, start: datetime, length: timedelta) -> Iterator[Window]:
        """Yield the windows that begin in it, on the grid of `start`, before which it goes on."""
        return windows_between(start, length, Window(self.since, self.until))


@dataclass(frozen=True)
class PlanRequest:
    """What a run is asked to do, as its parameters say it.

    Attributes:
        run: The run's id.
        as_of: The run's logical time.
        tenants: Names with commas between; the whole fleet when empty.
        partition: ``i/n``, part i of n of the fleet; all when empty.
        max_shards: Iterations at most.
        force: Train every tenant, whatever its state.
        cpu_budget: CPU-seconds that the run may take, as estimated; 0 means all it takes.
        backfill_from: Predict the windows of the past that begin then or later; none when empty.
        backfill_to: … and before this; `as_of` when empty.
        backfill_model: By which model, see `Backfill`.
        region: The home region that the run serves; empty where there is one store.
        size: Only tenants of this size class; all when empty.
    """

    run: str
    as_of: datetime
    tenants: str = ""
    partition: str = ""
    max_shards: int = 32
    force: bool = False
    cpu_budget: float = 0.0
    backfill_from: str = ""
    backfill_to: str = ""
    backfill_model: str = "then"
    region: str = ""
    size: str = ""

    @property
    def backfill(self) -> Backfill | None:
        """The backfill asked for, or None."""
        if not self.backfill_from:
            return None
        until = parse_moment(self.backfill_to) if self.backfill_to else self.as_of
        model = cast("ModelChoice", self.backfill_model)
        return Backfill(parse_moment(self.backfill_from), until, model)

    def check(self) -> None:
        """Check what can be checked without the fleet.

        Raises:
            PlanError: All that is wrong.
        """
        if faults := [*self._find_faults()]:
            raise PlanError(faults)

    def _find_faults(self) -> Iterator[Fault]:
        if self.max_shards < 1:
            yield Fault("max_shards", f"{self.max_shards} is not ≥ 1")
        if not (math.isfinite(self.cpu_budget) and self.cpu_budget >= 0):
            yield Fault("cpu_budget", f"{self.cpu_budget:g} is not ≥ 0", "0 means no budget")
        if self.backfill_model not in get_args(ModelChoice):
            names = " or ".join(get_args(ModelChoice))
            yield Fault("backfill_model", f"{self.backfill_model!r} is not {names}")
        yield from self._find_faults_of_span()

    def _find_faults_of_span(self) -> Iterator[Fault]:
        if self.backfill_to and not self.backfill_from:
            yield Fault("backfill_from", "is missing", "say from when, or leave backfill_to out")
        broken = False
        for name in ("backfill_from", "backfill_to"):
            try:
                parse_moment(getattr(self, name) or "2000-01-01")
            except ValueError as error:
                broken = True
                yield Fault(name, str(error))
        asked = None if broken else self.backfill
        if asked and asked.since >= asked.until:
            yield Fault("backfill_from", "is not before backfill_to (or as_of)")
