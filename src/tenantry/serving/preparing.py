"""Preparing: from a tenant's serving record and published past to what computes its features."""

from tenantry.serving.loading import Features
from tenantry.serving.online import Online
from tenantry.serving.records import ServingRecord
from tenantry.serving.state import State


def prepare(record: ServingRecord, online: bytes | None) -> Features:
    """Make what computes the features of a tenant's rows; see `loading.PreparesFeatures`."""
    state = State.from_bytes(online) if online is not None else None
    return Online(record, state).features_of
