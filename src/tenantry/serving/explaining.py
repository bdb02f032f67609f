"""Explaining: one row's prediction with its reasons, by the one method of all explanations."""

from dataclasses import asdict
from typing import Any

from tenantry.packed.columns import Row
from tenantry.reasons import row_reasons
from tenantry.serving.loading import Loaded
from tenantry.serving.refusals import NO_REASONS


def check_explainable(loaded: Loaded) -> None:
    """Refuse to explain what cannot be.

    Raises:
        RefusedError: The spec asks for no reasons, or the model has no packed form.
    """
    if loaded.packed is None or not loaded.record.explain.top:
        raise NO_REASONS()


def explain_row(loaded: Loaded, own: Row, pooled: Row) -> list[dict[str, Any]]:
    """Return the reasons of a prediction, as the batch words them.

    Args:
        loaded: What answers.
        own: What the tenant's own model reads.
        pooled: What the pooled model reads.

    Returns:
        The largest contribution first; as many as the spec asks for.

    Raises:
        RefusedError: There are none, see `check_explainable`.
    """
    record, model = loaded.record, loaded.packed
    if model is None:
        raise NO_REASONS()
    parts = model.parts_row(own, pooled, record.shared)
    table = {column: pooled[name] for name, column in record.shared.items() if name in pooled} | {
        **own
    }
    reasons = row_reasons(
        parts.columns, table, record.features, top=record.explain.top, tenant=record.tenant
    )
    return [asdict(reason) for reason in reasons]
