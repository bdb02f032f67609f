"""The proposal for a new tenant: its file, why it is so, and what follows; writes nothing."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from tenantry.contract import CheckedRows
from tenantry.erasure.tombstones import read_tombstone
from tenantry.errors import (
    Fault,
    ModelFileError,
    OnboardingError,
    SpecError,
    TrainingError,
)
from tenantry.onboarding.drafts import load_draft
from tenantry.onboarding.estimates import Estimate, estimate_quality, find_chain
from tenantry.onboarding.findings import Found, find_faults, find_rows, never_there
from tenantry.onboarding.founding import found_product
from tenantry.onboarding.given import Given, open_given
from tenantry.onboarding.landing import name_connection
from tenantry.onboarding.reasons import Reason
from tenantry.onboarding.wishes import Proposal, Wish
from tenantry.request import PlanRequest
from tenantry.settings import Settings
from tenantry.sources.connections import Connections, load_connections
from tenantry.specs.document import write_document
from tenantry.specs.load import Fleet, list_products
from tenantry.specs.model import API_VERSION, Spec
from tenantry.specs.parts import DNS_LABEL
from tenantry.stages.plan import make_plan
from tenantry.store.contract import ObjectStore
from tenantry.store.open import open_store


def propose(settings: Settings, wish: Wish, as_of: datetime, now: datetime) -> Proposal:
    """Look at a new tenant's rows and propose its file; reads specs, sources and store.

    Args:
        settings: Where specs, connections and store are.
        wish: What is asked for.
        as_of: The logical time: what is known later is not looked at.
        now: The clock's time; rows with labels cannot be later than that.

    Raises:
        OnboardingError: What stands in the way, all at once.
        SpecError: The specs are wrong, or would be.
        SourceError: The rows cannot be read.
        ContractError: None of them keeps the contract.
        PlanError: Specs and store contradict each other.
    """
    _check_names(settings.specs, wish)
    return _Case(settings, wish, as_of, now).propose()


def _check_names(specs: Path, wish: Wish) -> None:
    pattern = re.compile(DNS_LABEL.rstrip("$"))
    remedy = "use lower-case letters, digits and '-', at most 63"
    faults = [
        Fault(place, "is not a DNS label", remedy)
        for place, name in (("PRODUCT", wish.product), ("TENANT", wish.tenant))
        if not pattern.fullmatch(name)
    ]
    if not faults and wish.tenant == "product":
        faults.append(Fault("TENANT", "'product' names the product's own file", "rename it"))
    if not faults and (specs / wish.product / f"{wish.tenant}.yaml").exists():
        fault = f"{wish.product} has a tenant {wish.tenant}"
        remedy = f"see tenantry show {wish.product} {wish.tenant}, and change its file by hand"
        faults.append(Fault("TENANT", fault, remedy))
    if faults:
        raise OnboardingError(faults)


@dataclass
class _Case:
    """An onboarding on its way."""

    settings: Settings
    wish: Wish
    as_of: datetime
    now: datetime
    files: dict[str, str] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)

    def propose(self) -> Proposal:
        connections = self._connections()
        given = self._given(connections)
        is_new = not self._has_product()
        if is_new:
            given, connections = self._found(given, connections)
        self.document = self._first_document()
        fleet = self._load()
        spec = fleet.specs[self.wish.tenant]
        store = open_store(self.settings, spec.region if fleet.regions else "")
        self._check_store(store)
        found = find_rows(spec, connections, self.as_of, None if is_new else given)
        if faults := [*find_faults(found, spec, self.as_of, self.now)]:
            raise OnboardingError(faults)
        self._adapt(found, spec, fleet)
        fleet = self._load()
        estimate, silence = self._estimate(found.checked, fleet, connections, store)
        if estimate and self._is_better_alone(estimate, spec, fleet):
            fleet = self._load()
        proposal = self._proposal(found, fleet, store)
        return proposal.model_copy(update={"estimate": estimate, "silence": silence})

    # --- sources and product ----------------------------------------------------------------------

    def _has_product(self) -> bool:
        specs = self.settings.specs
        return specs.is_dir() and self.wish.product in list_products(specs)

    def _connections(self) -> Connections:
        if not self.settings.connections.exists():
            return Connections(connections={})
        return load_connections(self.settings.connections, self.settings.environ)

    def _given(self, connections: Connections) -> Given | None:
        if self.wish.source:
            return open_given(self.wish.source, self.wish.table, connections)
        if not self._has_product():
            remedy = "say --source: a file, a folder, or a connection with --table"
            fault = Fault("PRODUCT", f"there is no product {self.wish.product} yet", remedy)
            raise OnboardingError([fault])
        return None

    def _found(self, given: Given | None, connections: Connections) -> tuple[Given, Connections]:
        assert given is not None  # noqa: S101 - a new product without a source was refused
        named = name_connection(given, connections, self.settings, self.wish.product)
        given, connections = named.given, named.connections
        if named.reason:
            self.files["connections.yaml"] = named.text
            self.reasons.append(named.reason)
        product, reasons = found_product(
            self.wish.product, self.wish.tenant, given, self.wish.asked, self.as_of
        )
        self.reasons += reasons
        self.files[f"{self.wish.product}/product.yaml"] = write_document(product)
        lead = self.wish.asked.lead
        self.notes.append(
            f"all features are taken to be known {lead} before the event; name those that are not "
            "with --without"
        )
        if given.unnamed:
            words = f"{given.unnamed} columns have names that a spec cannot hold, and are not read"
            self.notes.append(words)
        return given, connections

    def _first_document(self) -> dict[str, Any]:
        wish = self.wish
        wanted = {
            "description": wish.description,
            "region": wish.region,
            "timezone": wish.timezone,
        }
        self.reasons += [
            Reason(path=name, value=value, why="as asked")
            for name, value in wanted.items()
            if value
        ]
        document: dict[str, Any] = {"apiVersion": API_VERSION, "tenant": wish.tenant}
        document |= {name: value for name, value in wanted.items() if value}
        if not wish.pooled:
            document["pooling"] = {"contribute": False}
            why = "as asked: its rows train no model of others"
            self.reasons.append(Reason(path="pooling.contribute", value="false", why=why))
        return document

    def _load(self) -> Fleet:
        path = f"{self.wish.product}/{self.wish.tenant}.yaml"
        self.files[path] = write_document(self.document)
        return load_draft(
            self.settings.specs, self.wish.product, self.files, self.settings.connections
        )

    def _check_store(self, store: ObjectStore) -> None:
        stone = read_tombstone(store, self.wish.product, self.wish.tenant)
        if stone is not None:
            who = f"{self.wish.product} {self.wish.tenant}"
            remedy = f"tenantry erase {who} --lift --why … --yes lets the name be used again"
            raise OnboardingError([Fault("TENANT", f"{self.wish.tenant} was erased", remedy)])

    # --- what is different ------------------------------------------------------------------------

    def _adapt(self, found: Found, spec: Spec, fleet: Fleet) -> None:
        empty = never_there(found, spec)
        for name, column in empty.items():
            self._leave_out(name, column, fleet)
        if found.missing:
            words = f"the source has no column {', '.join(found.missing)}"
            self.notes.append(f"{words}; the product's sources must have it, if only empty")
        if not found.is_landed:
            self._pause(spec, fleet)
        if found.checked.not_yet_known:
            words = f"{found.checked.not_yet_known:,} rows are known only after the logical time"
            self.notes.append(f"{words}, and were not looked at")

    def _leave_out(self, name: str, column: str, fleet: Fleet) -> None:
        why = f"{column} is missing in all of its rows"
        if _may_set(fleet, f"features.{name}"):
            self.document.setdefault("features", {})[name] = None
            self.reasons.append(Reason(path=f"features.{name}", value="removed", why=why))
        else:
            words = "its tenants may not leave it out; models drop what never has a value"
            self.notes.append(f"features.{name}: {why}, and {words}")

    def _pause(self, spec: Spec, fleet: Fleet) -> None:
        sources = ", ".join(f"{one.connection}: {one.path}" for one in spec.sources.rows)
        why = f"its rows are not in the product's own sources yet ({sources})"
        if not _may_set(fleet, "state"):
            raise OnboardingError(
                [Fault("rows", why.removeprefix("its "), "land them there first")]
            )
        self.document["state"] = "paused"
        self.reasons.append(Reason(path="state", value="paused", why=why))
        self.notes.append("when they are there, take `state: paused` out again")

    def _is_better_alone(self, estimate: Estimate, spec: Spec, fleet: Fleet) -> bool:
        """Take it out of reach of a pooled model that is surely worse, and never learns of it."""
        if estimate.model != "pooled" or not estimate.is_worse:
            return False
        if spec.pooling.contribute:
            words = (
                "other tenants' model is worse for it than its own mean until it has learnt from"
            )
            self.notes.append(f"{words} its rows, too; till then the gate gives it the better one")
            return False
        if estimate.rows < spec.gate.min_rows or not _may_set(fleet, "pooling.receive"):
            return False
        self.document.setdefault("pooling", {})["receive"] = False
        why = f"a model that never learns from its rows is surely worse: {estimate.sentence}"
        try:
            self._load()
        except SpecError:
            del self.document["pooling"]["receive"]
            return False
        self.reasons.append(Reason(path="pooling.receive", value="false", why=why))
        return True

    # --- what follows -----------------------------------------------------------------------------

    def _estimate(
        self, checked: CheckedRows, fleet: Fleet, connections: Connections, store: ObjectStore
    ) -> tuple[Estimate | None, str]:
        spec = fleet.specs[self.wish.tenant]
        try:
            with threadpool_limits(1):
                chain, of = find_chain(spec.tenant, fleet, connections, store, self.as_of)
                return estimate_quality(checked.rows, spec, chain, self.as_of, of=of), ""
        except (TrainingError, ModelFileError) as error:
            return None, str(error)

    def _proposal(self, found: Found, fleet: Fleet, store: ObjectStore) -> Proposal:
        spec = fleet.specs[self.wish.tenant]
        region = spec.region if fleet.regions else ""
        made = make_plan(PlanRequest("dry-run", self.as_of, region=region), fleet, store)
        planned = made.tenants[self.wish.tenant]
        return Proposal(
            product=self.wish.product,
            tenant=self.wish.tenant,
            is_new_product=f"{self.wish.product}/product.yaml" in self.files,
            files=self.files,
            reasons=tuple(self.reasons),
            quality=found.checked.quality,
            due=planned.due,
            note=planned.note,
            pooled=made.pooled.get(spec.residency.zone, ""),
            cpu_seconds=planned.cpu_seconds,
            notes=tuple(self.notes),
        )


def _may_set(fleet: Fleet, path: str) -> bool:
    parts = path.split(".")
    prefixes = {".".join(parts[:n]) for n in range(1, len(parts) + 1)}
    return not prefixes.isdisjoint(fleet.tenants_may_set)
