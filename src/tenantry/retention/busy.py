"""Who is being worked on: the openings that runs and commands leave while they are at work."""

import json

from tenantry import layout
from tenantry.errors import ObjectMissingError
from tenantry.store.contract import ObjectStore


def busy_tenants(store: ObjectStore, product: str) -> dict[str, str]:
    """Return tenant → the run, or the command, that is working on it.

    An opening that a dead run left counts until a plan heals it.

    Raises:
        ValueError: An opening cannot be read.
    """
    busy: dict[str, str] = {}
    for info in store.list(layout.openings_folder(product)):
        try:
            opening = json.loads(store.get(info.key).content)
        except ObjectMissingError:  # closed meanwhile
            continue
        busy |= dict.fromkeys(opening["tenants"], opening["run"])
    return busy
