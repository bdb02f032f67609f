"""The windows of a tenant as of a time: which are to be predicted, looked at again, judged.

All windows of a spec lie on one grid: from `predict.start` on, `predict.window` long. One is known
when all of its rows are.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache

from tenantry.champions import Reign
from tenantry.facts import Predicted
from tenantry.request import Backfill
from tenantry.specs.model import Spec
from tenantry.states import TenantState
from tenantry.times import Window, shifted, windows_until


@dataclass(frozen=True)
class Agenda:
    """A tenant's windows; every list is by time.

    Attributes:
        spec: What Git declares.
        state: What the store holds, as of `as_of`.
        as_of: The run's logical time.
    """

    spec: Spec
    state: TenantState
    as_of: datetime

    @cached_property
    def new(self) -> tuple[Window, ...]:
        """Known windows within the history that nobody predicted yet."""
        return tuple(window for window in self._readable if window not in self.state.predicted)

    @cached_property
    def too_old(self) -> int:
        """How many known windows are older than the history and were never predicted."""
        return sum(window not in self.state.predicted for window in self._known[: self._oldest])

    @cached_property
    def late(self) -> tuple[Window, ...]:
        """Predicted windows to which rows may have come since they were last looked for."""
        if not self.spec.predict.late_rows:
            return ()
        return tuple(window for window in self._readable if self._may_have_late_rows(window))

    def backfill(self, order: Backfill, *, trains: bool) -> tuple[Window, ...]:
        """Return the windows of a backfill that its model has not predicted and are not new.

        Args:
            order: What the run is asked to predict.
            trains: Whether another champion may be crowned before windows are predicted: which
                windows the current one lacks is then known to the stage alone.
        """
        asked = order.windows(self.spec.predict.start, self.spec.predict.window)
        known = (window for window in asked if window.end <= self._known_until)
        if order.model == "current" and trains:
            return tuple(known)
        new = frozenset(self.new)
        champion = self.state.champion
        current = champion.current if champion else None
        found = []
        for window in known:
            then = self.predictor(window)
            model = then if order.model == "then" else current
            if self._lacks(window, model) and not (window in new and model == then):
                found.append(window)
        return tuple(found)

    def judge(self, soon: Collection[Window]) -> tuple[Window, ...]:
        """Return the windows that can be judged: labels known, not judged, out of sample.

        Args:
            soon: The windows that the model which reigned then predicts in this very run.
        """
        by_now = shifted(self.as_of, -self._label_delay)
        known = bisect_right(self._readable, by_now, key=lambda window: window.end)
        judged = self.state.judged
        open_yet = (window for window in self._readable[:known] if window not in judged)
        return tuple(window for window in open_yet if self._is_judgeable(window, soon))

    def predictor(self, window: Window) -> Reign | None:
        """Return the reign whose model predicts a window; None when none reigned yet."""
        champion = self.state.champion
        return (champion.at(window.start) or champion.earliest) if champion else None

    def known_at(self, window: Window) -> datetime:
        """Return the moment at which the last row of a window is known."""
        return shifted(window.end, -self._lead)

    def last_look(self, window: Window) -> datetime | None:
        """Return as of when rows of a window were last asked for; None when not by now."""
        asked = [one.as_of for one in self._receipts(window)]
        if asked and self.state.looked_at:
            asked.append(self.state.looked_at)
        return max(asked, default=None)

    def deadlines(self, since: datetime) -> Iterator[tuple[Window, datetime]]:
        """Yield the windows that were to be predicted by now, and until when, from `since` on."""
        for window in reversed(self._readable):
            deadline = shifted(self.known_at(window), self.spec.predict.fresh_within)
            if deadline < since:
                return
            if deadline < self.as_of:
                yield window, deadline

    def labels_known_at(self, window: Window) -> datetime:
        """Return the moment from which a window can be judged."""
        return shifted(window.end, self._label_delay)

    @property
    def _label_delay(self) -> timedelta:
        delay = self.spec.times.label_known_at.delay or timedelta()
        return max(delay, self.spec.monitor.wait)

    @property
    def _lead(self) -> timedelta:
        return self.spec.times.known_at.lead or timedelta()

    @property
    def _known_until(self) -> datetime:
        return shifted(self.as_of, self._lead)

    @property
    def _known(self) -> tuple[Window, ...]:
        predict = self.spec.predict
        return _grid(predict.start, predict.window, self._known_until)

    @cached_property
    def _oldest(self) -> int:
        """The place of the first known window within the history."""
        start = shifted(self.as_of, -self.spec.train.history)
        return bisect_left(self._known, start, key=lambda window: window.start)

    @cached_property
    def _readable(self) -> tuple[Window, ...]:
        return self._known[self._oldest :]

    def _receipts(self, window: Window) -> Iterator[Predicted]:
        """Yield what was predicted by now; a later run's predictions are nothing to build on."""
        return (p for p in self.state.predicted.get(window, ()) if p.as_of <= self.as_of)

    def _may_have_late_rows(self, window: Window) -> bool:
        if self._is_predicted_later(window):
            return False
        last = self.last_look(window)
        end = shifted(window.end, self.spec.predict.late_rows)
        return last is not None and last < min(self.as_of, end)

    def _is_predicted_later(self, window: Window) -> bool:
        """Say whether its model predicted a window in a later run, which knew more rows."""
        reign = self.predictor(window)
        later = (one for one in self.state.predicted.get(window, ()) if one.as_of > self.as_of)
        return reign is not None and any(one.model == reign.version for one in later)

    def _lacks(self, window: Window, reign: Reign | None) -> bool:
        """Say whether a model has not predicted a window; without one, whether nobody has."""
        predicted = self.state.predicted.get(window, ())
        if reign is None:
            return not predicted
        return all(one.model != reign.version for one in predicted)

    def _is_judgeable(self, window: Window, soon: Collection[Window]) -> bool:
        for one in self.state.predicted.get(window, ()):
            if not one.in_sample and one.as_of <= self.as_of:
                return True
        reign = self.predictor(window) if window in soon else None
        return reign is not None and window.start >= reign.unseen_from


@lru_cache(maxsize=1024)
def _grid(start: datetime, length: timedelta, until: datetime) -> tuple[Window, ...]:
    """Return the windows that are known; most tenants of a product share them."""
    return tuple(windows_until(start, length, until))
