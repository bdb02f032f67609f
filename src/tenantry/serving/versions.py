"""What of a serving record depends on the model's version, and the records of other versions.

Imports no pandas: servers make the records of older versions themselves.
"""

from typing import Any

from tenantry.champions import Reign
from tenantry.errors import ModelFileError
from tenantry.models.card import Card, read_card
from tenantry.rules import Rules, read_evaluation, rests_on_evaluation, settle
from tenantry.serving.records import ModelFile, ServingRecord
from tenantry.store.contract import ObjectStore


def record_of(store: ObjectStore, record: ServingRecord, reign: Reign) -> ServingRecord:
    """Return a tenant's serving record for the version of a reign, by the spec as it was published.

    Args:
        store: The store.
        record: What was published last.
        reign: When another version reigned; it names the digests of its files.

    Raises:
        ModelFileError: The version's card is gone, or tells of another file than the reign does.
        ObjectMissingError: Its evaluation is, on which threshold or interval rest.
    """
    card = read_card(store, record.product, record.tenant, reign.version)
    if card.file_digest != reign.digest:
        msg = f"{reign.version}: its card is of another file than the pointer says"
        raise ModelFileError(msg)
    rule, level = record.threshold_rule, record.interval_level
    evaluation = None
    if rests_on_evaluation(rule, level):
        evaluation = read_evaluation(store, record.product, record.tenant, reign.version)
    rules = settle(record.task, rule, level, evaluation=evaluation)
    return with_model(record, card, rules, packed=reign.packed)


def with_model(record: ServingRecord, card: Card, rules: Rules, *, packed: str) -> ServingRecord:
    """Return a tenant's serving record for another version of its model; see `make_record`."""
    return record.model_copy(update=model_part(card, rules, packed))


def model_part(card: Card, rules: Rules, packed: str) -> dict[str, Any]:
    """Return the fields of a serving record that depend on the model's version."""
    return {
        "model": ModelFile(version=card.version, skops=card.file_digest, packed=packed),
        "pooled": _pooled_file(card),
        "trained_until": card.trained_until,
        "recipe": card.recipe,
        "parts": card.form,
        "threshold": rules.threshold,
        "interval": rules.interval,
    }


def _pooled_file(card: Card) -> ModelFile | None:
    part = card.pooled
    return ModelFile(version=part.version, skops=part.digest, zone=part.zone) if part else None
