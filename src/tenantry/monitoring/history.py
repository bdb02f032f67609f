"""What a judgement keeps of those before it; imports no pandas."""

from typing import Literal

from tenantry.records import Record
from tenantry.times import Window, WindowId

JudgementStatus = Literal[
    "ok",
    "decayed",
    "drifted",
    "too_small",
    "no_labels",
    "no_rows",
    "no_promise",
    "in_sample",
    "not_predicted",
]
Reaction = Literal["retrain", "rollback", "tell", "none"]

HISTORY = 52
"""Windows that a judgement keeps in its history: a year of weeks."""


class Judged(Record):
    """A window judged before, in short.

    Attributes:
        window: The window's id.
        status: The outcome in a word.
        model: Version of the model that predicted it.
        action: What was asked for.
        rows: Rows predicted.
        labelled: Rows whose label is known.
        realised: The quality; None when it was not measured.
        low: Lower end of its interval.
        high: Upper end.
        promised: What the model's card promised.
        drifted: The streams that drifted, the largest effect first.
    """

    window: WindowId
    status: JudgementStatus
    model: str = ""
    action: Reaction = "none"
    rows: int = 0
    labelled: int = 0
    realised: float | None = None
    low: float | None = None
    high: float | None = None
    promised: float | None = None
    drifted: tuple[str, ...] = ()

    @property
    def span(self) -> Window:
        """The window."""
        return Window.parse(self.window)

    @property
    def harm(self) -> float:
        """By how much it was worse than promised, over all its labelled rows; below 0 if better."""
        if self.realised is None or self.promised is None:
            return 0.0
        return (self.realised - self.promised) * self.labelled
