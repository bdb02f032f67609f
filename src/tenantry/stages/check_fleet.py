"""Say whether the run went well enough; fail it when too many tenants failed."""

from tenantry import layout
from tenantry.cpu import process_seconds
from tenantry.digests import canonical_json
from tenantry.errors import FleetError
from tenantry.fleet import FleetState, read_run
from tenantry.members import Member
from tenantry.report.summary import explain_unknown
from tenantry.store.contract import ObjectStore


def check_fleet(run: str, store: ObjectStore, max_failed_share: float) -> str:
    """Return the verdict on a run in words.

    A tenant counts as failed when a stage failed for it, or when it is unknown what became of it:
    something was due, and no ledger says that it was done. The share is of the tenants for which
    something was due. What the check took is left in the store, for the bill.

    Args:
        run: The run's id.
        store: The store.
        max_failed_share: The share that is still well enough, 0 to 1.

    Raises:
        FleetError: More failed; names each tenant, stage and message.
    """
    state = read_run(store, run)
    if state is None or not state.due:
        return "Nothing was due."
    failed = state.having("failed", "unknown")
    store.put(layout.checked(run), canonical_json({"cpu_seconds": process_seconds()}))
    if not failed:
        return f"All {len(state.due):,} tenants that were due went well."
    verdict = _verdict(state, failed, max_failed_share)
    if len(failed) > max_failed_share * len(state.due):
        raise FleetError(verdict)
    return verdict


def _verdict(state: FleetState, failed: tuple[Member, ...], limit: float) -> str:
    share = len(failed) / len(state.due)
    head = (
        f"{len(failed):,} of {len(state.due):,} tenants failed or are unknown "
        f"({share:.0%}, {limit:.0%} allowed):"
    )
    return "\n".join([head, *(f"- {line}" for member in failed for line in _lines(member))])


def _lines(member: Member) -> list[str]:
    if member.failures:
        return [f"{member.tenant}: {one.stage}: {one.message}" for one in member.failures]
    return [f"{member.tenant}: unknown: {explain_unknown(member)}"]
