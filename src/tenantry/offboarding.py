"""Offboarding: where a tenant stands on its way out, and what the next step is."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from tenantry import layout
from tenantry.erasure.tombstones import is_erased
from tenantry.errors import ErasureError, Fault
from tenantry.records import Record
from tenantry.specs.document import parse_document
from tenantry.specs.faults import suggest
from tenantry.specs.load import Fleet
from tenantry.store.contract import ObjectStore
from tenantry.truth import read_state

StepKind = Literal["retire", "wait", "erase", "remove", "done"]

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
_STATE = re.compile(r"^state:.*$", re.MULTILINE)
_TENANT = re.compile(r"^tenant:.*$", re.MULTILINE)


class Step(Record):
    """The next step of an offboarding.

    Attributes:
        kind: `retire` writes `state: retired`; `wait`: a run has to archive it; `erase` removes
            all that the store holds; `remove` removes its file; `done`: nothing is left.
        why: Where it stands, in words.
        file: The tenant's file below the folder of specs; empty where there is none.
        text: What the file holds after the step; empty where it goes, or stays as it is.
    """

    kind: StepKind
    why: str
    file: str = ""
    text: str = ""


def find_step(store: ObjectStore, fleet: Fleet, tenant: str, specs: Path) -> Step:
    """Return the next step of a tenant's offboarding; reads its file and the store.

    Raises:
        ErasureError: Nobody knows the tenant, its product lets no tenant set its state, or its file
            has to be changed by hand.
    """
    spec = fleet.specs.get(tenant)
    holds = any(True for _ in store.list(layout.tenant_folder(fleet.product, tenant)))
    erased = is_erased(store, fleet.product, tenant)
    if spec is None:
        return _without_file(fleet, tenant, holds=holds, erased=erased)
    file = f"{fleet.product}/{tenant}.yaml"
    if erased and not holds:
        return Step(kind="remove", why="it was erased; only its file is left", file=file)
    if spec.state != "retired":
        text = _retired(specs / file, fleet)
        return Step(kind="retire", why=f"it is {spec.state}", file=file, text=text)
    if not holds:
        return Step(kind="remove", why="it is retired, and the store holds nothing", file=file)
    if not read_state(store, fleet.product, tenant).as_of(_END_OF_TIME).retired:
        return Step(kind="wait", why="its file says retired; the next run archives it", file=file)
    return Step(kind="erase", why="it is retired and archived", file=file)


def _without_file(fleet: Fleet, tenant: str, *, holds: bool, erased: bool) -> Step:
    if holds:
        return Step(kind="erase", why="it has no file any more, and the store still holds it")
    if erased:
        return Step(kind="done", why="it was erased, and has no file")
    fault = f"{fleet.product} has no such tenant, in neither specs nor store"
    raise ErasureError([Fault(tenant, fault, suggest(tenant, fleet.specs))])


def _retired(path: Path, fleet: Fleet) -> str:
    """Return a tenant's file with `state: retired`, all else as it is."""
    place = f"{fleet.product}/{path.name}"
    if "state" not in fleet.tenants_may_set:
        fault = f"{fleet.product} lets no tenant set its state"
        raise ErasureError([Fault(place, fault, "add state to tenants_may_set")])
    text = path.read_text(encoding="utf-8")
    if _STATE.search(text):
        made = _STATE.sub("state: retired", text, count=1)
    else:
        made = _TENANT.sub(lambda line: f"{line[0]}\nstate: retired", text, count=1)
    wanted = parse_document(text.encode(), place) | {"state": "retired"}
    if parse_document(made.encode(), place) != wanted:
        raise ErasureError([Fault(place, "has a form of its own", "write state: retired into it")])
    return made
