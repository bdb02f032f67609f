"""Whose Evidently report a run writes: everyone's in a small fleet, else of alarms and a sample."""

from collections.abc import Iterable

from tenantry.digests import sha256
from tenantry.monitoring.judgements import Judgement
from tenantry.specs.model import Spec

_ALARMS = ("decayed", "drifted")


def explain_absence(spec: Spec, fleet: int, judgements: Iterable[Judgement]) -> str:
    """Say why a run writes no Evidently report of a tenant; empty when it does.

    Args:
        spec: The tenant's spec.
        fleet: How many tenants the fleet has.
        judgements: Of the windows that the run judges, by time.
    """
    judged = list(judgements)
    rules = spec.monitor
    ask = f"tenantry monitor {spec.product} {spec.tenant} --report makes one"
    if not rules.report:
        return f"no Evidently report: monitor.report is off; {ask}"
    if fleet <= rules.report_all or any(one.status in _ALARMS for one in judged):
        return ""
    if judged and is_sampled(spec.tenant, judged[-1].window, rules.report_share):
        return ""
    return (
        f"no Evidently report: nothing alarmed, and of {fleet:,} tenants only a sample has one "
        f"(monitor.report_share: {rules.report_share:g}); {ask}"
    )


def is_sampled(tenant: str, window: str, share: float) -> bool:
    """Whether a tenant's window is in the sample: by chance, and always the same for the same."""
    drawn = int(sha256(f"{tenant}/{window}".encode())[:12], 16) / 16**12
    return drawn < share
