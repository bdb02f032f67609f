"""Whether a fleet is all there: what could be a mistake rather than an order is refused."""

from collections.abc import Mapping, Set

from tenantry.errors import Fault, PlanError
from tenantry.specs.model import Spec


def check_presence(
    specs: Mapping[str, Spec], stored: Set[str], retired_share: float, retiring: set[str]
) -> None:
    """Refuse to plan where a spec is missing or many tenants are to be retired at once.

    Args:
        specs: All specs of the product, before any filter.
        stored: Tenants that the store knows.
        retired_share: Share of the fleet that may be retired by one run.
        retiring: Tenants that this run would retire.

    Raises:
        PlanError: A tenant of the store has no spec, or too many are to be retired at once.
    """
    remedy = "restore its file, or write state: retired into it"
    faults = [
        Fault(f"{tenant}.yaml", "the store holds this tenant, but it has no spec", remedy)
        for tenant in sorted(stored - specs.keys())
    ]
    if len(retiring) > max(1, retired_share * len(specs)):
        names = ", ".join(sorted(retiring)[:10])
        fault = f"{len(retiring)} of {len(specs)} tenants are to be retired at once ({names})"
        remedy = f"retire fewer, or raise retire_max_share (now {retired_share:g})"
        faults.append(Fault("product.yaml", fault, remedy))
    if faults:
        raise PlanError(faults)
