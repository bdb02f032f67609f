"""What a worker may have written into its tenant's audit trail."""

from dataclasses import dataclass
from datetime import datetime

from tenantry.events import DECISIONS, Event, Kind
from tenantry.ledger import Due, Entry, Header
from tenantry.registry.orders import MONITOR

_DECIDES = "promote"
"""The one stage whose workers write events."""


@dataclass(frozen=True)
class Trail:
    """The end of a tenant's audit trail, during one stage of one run.

    Attributes:
        product: The product.
        tenant: Whose it is.
        run: The run.
        as_of: The run's logical time.
        stage: The stage.
        due: What the plan asks for; it says which kinds of decisions can come of it.
    """

    product: str
    tenant: str
    run: str
    as_of: datetime
    stage: str
    due: tuple[Due, ...] = ()

    def may_end_with(self, event: Event) -> bool:
        """Say whether this run could decide so now; what words and figures say is not looked at."""
        return (
            (event.product, event.tenant, event.as_of) == (self.product, self.tenant, self.as_of)
            and self.stage == _DECIDES
            and event.kind in self._kinds()
            and not event.stage
            and self._is_signed(event)
        )

    def _kinds(self) -> tuple[Kind, ...]:
        asked = {due.action for due in self.due}
        if "rollback" in asked:
            return ("rolled_back",)
        return ("retired",) if "retire" in asked else DECISIONS

    def _is_signed(self, event: Event) -> bool:
        if event.kind == "rolled_back":
            return (event.run, event.who, event.when) == ("", MONITOR, self.as_of)
        return (event.run, event.who, event.why, event.when) == (self.run, "", "", None)


def find_trail(header: Header, entry: Entry) -> Trail:
    """Return what a tenant's worker may add to, in the stage that a header names."""
    return Trail(header.product, entry.tenant, header.run, header.as_of, header.stage, entry.due)
