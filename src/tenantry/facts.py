"""Single facts about a tenant: each was written once, and never changes."""

from datetime import datetime
from typing import NamedTuple

from tenantry.monitoring.history import JudgementStatus, Reaction
from tenantry.times import Window

SHARD_DIED = "ShardDiedError"
"""The kind of a failure that no worker told: the shard itself went down."""

DEATHS = ("WorkerDiedError", SHARD_DIED)
"""Kinds of failures that took others down."""


class Predicted(NamedTuple):
    """That a model predicted a window.

    Attributes:
        as_of: Of the receipt.
        model: The version.
        in_sample: Whether the window began before the model reigned.
    """

    as_of: datetime
    model: str
    in_sample: bool


class Attempt(NamedTuple):
    """A training that was brought to an end: the gate decided on its challenger.

    Attributes:
        as_of: When.
        version: The model decided on.
        training_digest: Of the spec it was made by.
        rows: Labelled rows it was fitted on; None when its card is gone.
        turn: Which decision of that moment it was.
        promoted: Whether the version became champion.
    """

    as_of: datetime
    version: str
    training_digest: str
    rows: int | None = None
    turn: int = 0
    promoted: bool = True

    @property
    def place(self) -> tuple[datetime, int, bool, str]:
        """What attempts are ordered by and known by."""
        return self.as_of, self.turn, self.promoted, self.version


class Alarm(NamedTuple):
    """A judgement of decay, or one that asks for something to be done.

    Attributes:
        as_of: When it was made.
        window: The window judged.
        status: The judgement in a word.
        action: What is asked for.
        model: The model that was judged; empty where that was not recorded.
    """

    as_of: datetime
    window: Window
    status: JudgementStatus
    action: Reaction
    model: str = ""


class Failure(NamedTuple):
    """A stage that failed for the tenant.

    Attributes:
        as_of: When.
        run: In which run.
        stage: Which stage.
        kind: The error's class.
    """

    as_of: datetime
    run: str
    stage: str
    kind: str


class Measured(NamedTuple):
    """What a stage spent on the tenant.

    Attributes:
        as_of: When.
        cpu_seconds: User and system time.
    """

    as_of: datetime
    cpu_seconds: float
