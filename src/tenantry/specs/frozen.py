"""Specs as a run froze them, so that a Git push in the middle of a run changes nothing."""

import json
from collections.abc import Iterable, Mapping

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
    parts = _Parts()
    return {
        tenant: parts.read(migrate({"apiVersion": _UNSAID, **spec}, key))
        for tenant, spec in content.items()
    }


class _Parts:
    """The parts of specs: one that tenants have in common is checked once, and is one object."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], object] = {}

    def read(self, document: Mapping[str, object]) -> Spec:
        """Return a spec, its parts those of specs before, as far as they were written alike."""
        texts = {
            (name, json.dumps(part))
            for name, part in document.items()
            if isinstance(part, (dict, list))
        }
        known = {place[0]: self._known[place] for place in texts if place in self._known}
        spec = Spec.model_validate({**document, **known})
        for name, text in texts:
            self._known.setdefault((name, text), getattr(spec, name))
        return spec
