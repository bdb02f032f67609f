"""The record of what a tenant's rows are worth."""

from pydantic import Field

from tenantry.records import Record
from tenantry.times import Moment


class Quality(Record):
    """What the contract found in a tenant's rows, as known at one time.

    Attributes:
        rows: Rows that keep the contract.
        labelled: Those of them whose label is known.
        quarantined: Rows set aside.
        copies: Rows left out because they repeat another, value for value.
        reasons: `column: fault` → rows set aside for it.
        null_shares: Column → share of missing values among the rows that could have one.
        first_event: The earliest event of the kept rows; None without rows.
        last_event: The latest one.
    """

    rows: int
    labelled: int
    quarantined: int = 0
    copies: int = 0
    reasons: dict[str, int] = Field(default_factory=dict)
    null_shares: dict[str, float] = Field(default_factory=dict)
    first_event: Moment | None = None
    last_event: Moment | None = None

    @property
    def sentence(self) -> str:
        """The record in one line, without a value of any row."""
        parts = [f"{self.rows:,} {'row' if self.rows == 1 else 'rows'}"]
        if self.quarantined:
            named = sorted(self.reasons.items(), key=lambda item: (-item[1], item[0]))
            told = [f"{reason} {count:,}" for reason, count in named[:_TOLD]]
            more = [f"{len(named) - _TOLD} more reasons"] if len(named) > _TOLD else []
            parts.append(f"{self.quarantined:,} set aside ({', '.join(told + more)})")
        if self.copies:
            parts.append(f"{self.copies:,} {'copy' if self.copies == 1 else 'copies'} left out")
        return ", ".join(parts)


_TOLD = 3
"""Reasons that a sentence names."""
