"""Specs as a run froze them, so that a Git push in the middle of a run changes nothing."""

import json
from collections.abc import Iterable

from tenantry import layout
from tenantry.specs.migrate import migrate
from tenantry.specs.model import API_VERSION, Spec
from tenantry.store.contract import ObjectStore

FLEET = "fleet"
"""The name under which the specs of the whole fleet are frozen, for the pooled model."""

_UNSAID = "tenantry/v1"
"""The version of frozen specs that do not say theirs."""


def freeze_specs(store: ObjectStore, run: str, shard: str, specs: Iterable[Spec]) -> None:
    """Write merged specs for `read_frozen_specs`; `shard` may be `FLEET`.

    Maps keep their order, which is the order of preference of candidates.
    """
    content = {
        spec.tenant: {"apiVersion": API_VERSION, **spec.model_dump(mode="json")} for spec in specs
    }
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    store.put(layout.frozen_specs(run, shard), text.encode())


def read_frozen_specs(store: ObjectStore, run: str, shard: str) -> dict[str, Spec]:
    """Return the specs of a shard's tenants by name, as the plan froze them.

    Those that an older version froze are brought up to date, as files are.

    Raises:
        ObjectMissingError: The plan wrote none.
    """
    key = layout.frozen_specs(run, shard)
    content = json.loads(store.get(key).content)
    return {
        tenant: Spec.model_validate(migrate({"apiVersion": _UNSAID, **spec}, key))
        for tenant, spec in content.items()
    }
