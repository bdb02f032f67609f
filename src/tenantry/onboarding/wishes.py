"""What is asked for a new tenant, and what is proposed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tenantry.errors import (
    Fault,
    OnboardingError,
)
from tenantry.ledger import Due
from tenantry.onboarding.estimates import Estimate
from tenantry.onboarding.reasons import Reason
from tenantry.onboarding.roles import Asked
from tenantry.quality import Quality
from tenantry.records import Record


@dataclass(frozen=True)
class Wish:
    """What is asked for.

    Attributes:
        product: The product.
        tenant: The new tenant.
        source: Where to look at its rows; the product's own sources when empty.
        table: The table in a database, or the path below a named connection.
        description: For people.
        region: Its home region.
        timezone: Its time zone, where it is not the product's.
        pooled: Whether it gives its rows to the pooled model.
        asked: What is known of a product that is new.
    """

    product: str
    tenant: str
    source: str = ""
    table: str = ""
    description: str = ""
    region: str = ""
    timezone: str = ""
    pooled: bool = True
    asked: Asked = field(default_factory=Asked)


class Proposal(Record):
    """What is proposed.

    Attributes:
        product: The product.
        tenant: The tenant.
        is_new_product: Whether the product is founded with it.
        files: Path below the folder of specs → text, whole.
        reasons: Why they say what they say.
        quality: What the contract found in the rows.
        due: What the next run would do for the tenant.
        note: What the plan says besides.
        pooled: Why the next run trains the zone's pooled model; empty when it does not.
        cpu_seconds: What the tenant's work is estimated to take.
        estimate: How good predictions may be; None where nothing can be said.
        silence: Why nothing can be said.
        notes: What else is to be known.
    """

    product: str
    tenant: str
    is_new_product: bool
    files: dict[str, str]
    reasons: tuple[Reason, ...]
    quality: Quality
    due: tuple[Due, ...] = ()
    note: str = ""
    pooled: str = ""
    cpu_seconds: float = 0.0
    estimate: Estimate | None = None
    silence: str = ""
    notes: tuple[str, ...] = ()


def write_files(specs: Path, files: Mapping[str, str]) -> tuple[Path, ...]:
    """Write what is proposed; a tenant's file only where there is none."""
    written = []
    for name, text in sorted(files.items()):
        path = specs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = "w" if name == "connections.yaml" else "x"
        try:
            with path.open(mode, encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            fault = Fault(str(path), "was written meanwhile", "look at it, and try again")
            raise OnboardingError([fault]) from None
        written.append(path)
    return tuple(written)
