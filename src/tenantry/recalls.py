"""Recalls: a judgement asks to go back from the model that reigns; which one is gone back to."""

from dataclasses import dataclass

from tenantry.champions import Reign
from tenantry.errors import RegistryError
from tenantry.facts import Alarm
from tenantry.states import TenantState

_REFUSED = RegistryError.__name__


@dataclass(frozen=True)
class Recall:
    """A model that is called back.

    Attributes:
        alarm: The judgement that asks for it.
        refuge: The reign of the model to go back to; None when none is left.
    """

    alarm: Alarm
    refuge: Reign | None

    @property
    def why(self) -> str:
        """The reason in words."""
        return f"{self.alarm.status} in window {self.alarm.window}"


def find_recall(state: TenantState) -> Recall | None:
    """Find the judgement that calls back the model that reigns; None when none does.

    Never back to a model that was judged as decayed itself, so that nothing goes back and forth;
    and to none after a rollback was refused: its model cannot be had. Who made a model reign again
    knew what had been judged by then, so only a later judgement calls it back.
    """
    if state.champion is None:
        return None
    reigns = state.champion.current
    for alarm in state.judgements:
        calls = alarm.action == "rollback" and alarm.as_of > reigns.since
        if calls and alarm.model == reigns.version:
            refused = any(one.stage == "promote" and one.kind == _REFUSED for one in state.failures)
            return Recall(alarm, None if refused else state.champion.refuge(state.decayed))
    return None
