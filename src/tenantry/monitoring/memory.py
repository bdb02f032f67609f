"""What a judgement keeps for the next one, and how a window's rows came; imports no pandas."""

from pydantic import Field

from tenantry.monitoring.history import Reaction
from tenantry.records import Record
from tenantry.times import Moment


class Arrival(Record):
    """How many rows of a window came late.

    Attributes:
        rows: Rows that are known by now.
        late: Of them, those that came after the window had been predicted.
    """

    rows: int
    late: int


class Feed(Record):
    """How the rows of a window came.

    Attributes:
        rows: Rows that are known by now, scored or not.
        late: Of them, those that came after the window had been predicted.
        unscored: Of these, those that were never scored.
        silence: Hours from the last scored row to the window's end; None without rows.
        changes: How their form changed since the judgement before, and what breaks the contract.
    """

    rows: int
    late: int
    unscored: int
    silence: float | None
    changes: tuple[str, ...] = ()


class Memory(Record):
    """What the judgement of a tenant's next window starts from.

    Attributes:
        model: The model that this is about, save `asked` and what is about the rows; another one
            starts anew.
        won: Stream → what the bets on a change of it have won.
        squares: Squared deviations of blocks' losses from their windows' means, summed.
        degrees: Blocks less windows behind `squares`.
        windows: Windows of which the quality was measured.
        surprise: Mean over them of realised less expected quality; 0 before the first.
        asked: What was asked for → start of the last window whose judgement did.
        arrivals: Of the windows judged last, the latest last.
        kinds: ``source.column`` → the type it came as.
        faults: ``column: fault`` → rows set aside for it; None when that is not known.
    """

    model: str = ""
    won: dict[str, tuple[float, ...]] = Field(default_factory=dict)
    squares: float = 0.0
    degrees: int = 0
    windows: int = 0
    surprise: float = 0.0
    asked: dict[Reaction, Moment] = Field(default_factory=dict)
    arrivals: tuple[Arrival, ...] = ()
    kinds: dict[str, str] = Field(default_factory=dict)
    faults: dict[str, int] | None = None

    def of(self, model: str) -> "Memory":
        """Return what is remembered of a model."""
        if model == self.model:
            return self
        return Memory(
            model=model,
            asked=self.asked,
            arrivals=self.arrivals,
            kinds=self.kinds,
            faults=self.faults,
        )
