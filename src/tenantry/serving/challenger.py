"""The challenger that servers try beside the champion: which one it is, and how it answers."""

from tenantry import layout
from tenantry.champions import Champion
from tenantry.digests import sha256
from tenantry.errors import ModelFileError, ObjectMissingError
from tenantry.models.card import read_card
from tenantry.packed.load import PACKED
from tenantry.rules import read_rules
from tenantry.serving.publish import make_record
from tenantry.serving.records import write_record
from tenantry.specs.model import Spec
from tenantry.store.contract import ObjectStore

LATEST = "latest"


def find_challenger(store: ObjectStore, spec: Spec, champion: Champion) -> str:
    """Return the version that is to be tried; empty where there is none.

    The latest is the newest model that was trained with the champion or later and never reigned:
    no older one that the gate passed over, and none that was rolled back. A version that the spec
    names is tried whatever became of it, unless it reigns, or learnt from rows that were erased.

    Args:
        store: The store.
        spec: The tenant's spec.
        champion: Its champion.
    """
    asked = spec.serving.challenger
    if asked is None:
        return ""
    current = champion.current.version
    if asked.version != LATEST:
        wrong = asked.version == current or champion.is_marked(asked.version)
        return "" if wrong else asked.version
    reigned = {reign.version for reign in champion.reigns}
    trained = store.list_folders(layout.models_folder(spec.product, spec.tenant))
    since = _moment(current)
    newer = (one for one in trained if _moment(one) >= since and one not in reigned)
    return max((one for one in newer if not champion.is_marked(one)), default="")


def _moment(version: str) -> str:
    """Return the part of a version that says as of when it was trained; it sorts by time."""
    return version.split("-", maxsplit=1)[0]


def write_challenger(store: ObjectStore, spec: Spec, version: str) -> str:
    """Write the serving record of a challenger.

    Returns:
        Its SHA-256; empty where the model is gone, or half written.
    """
    try:
        card = read_card(store, spec.product, spec.tenant, version)
        rules = read_rules(store, spec, version)
    except (ModelFileError, ObjectMissingError):
        return ""
    key = f"{layout.model_folder(spec.product, spec.tenant, version)}{PACKED}"
    packed = sha256(store.get(key).content) if store.find(key) else ""
    return write_record(store, make_record(spec, card, rules, packed=packed))
