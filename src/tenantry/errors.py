"""Everything Tenantry raises on purpose.

    TenantryError
    ├── SpecError               a file in tenant_specs/ is wrong (all faults at once)
    ├── SettingsError           an environment variable is missing or wrong
    ├── PlanError               specs and store contradict each other
    ├── StoreError
    │   ├── ObjectMissingError      no object at that key
    │   ├── PreconditionError       a conditional write lost
    │   ├── StoreDeniedError        whoever asked may not do that there
    │   └── StoreUnavailableError   transient
    ├── RecordError             an object is not what its key says; a ValueError, too
    ├── SourceError             a source is missing, unreadable or lacks a column
    │   └── SourceUnavailableError  transient
    ├── ContractError           the data break the spec's contract
    ├── TrainingError           no model can be fitted on these rows
    ├── ModelFileError          a model file is not what its pointer says, or holds a foreign type
    ├── NotPackableError        a model holds what packed models do not have
    ├── ScoringError            a model cannot score the rows that the spec gives it
    ├── ServingError            a server cannot answer for a tenant by what is published of it
    ├── FieldsError             the fields of a request are not what the contract says (all at once)
    ├── RegistryError           what a person asked of a tenant's models is refused
    │   └── NothingToDoError        it is so already
    ├── ChampionMovedError      transient: another champion reigns than the one decided against
    ├── ErasureError            what is to be erased cannot be, or not yet
    ├── RefusedError            a request to a server is answered with a fault (serving.refusals)
    ├── OnboardingError         a tenant cannot be taken on as it is (all faults at once)
    ├── WebhookError            a webhook refused a message
    │   └── WebhookUnavailableError  transient
    ├── WorkerDiedError         a tenant's worker was killed: memory, time or a crash
    └── FleetError              more tenants failed than the run allows

Messages name place, fault and remedy; they never quote rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        place: Where, e.g. ``ua.yaml: gate.min_rows``.
        fault: What is wrong there, e.g. ``-5 is not ≥ 0``.
        remedy: What to do about it; empty when the fault says it.
    """

    place: str
    fault: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.place}: {self.fault}" + (f"; {self.remedy}" if self.remedy else "")


class TenantryError(Exception):
    """Base of all our errors."""

    transient: ClassVar[bool] = False
    """Whether the same call may succeed later; the shard runner retries these."""


class _FaultsError(TenantryError):
    """An error that carries every fault found, one a line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type["_FaultsError"], tuple[tuple[Fault, ...]]]:
        return type(self), (self.faults,)


class SpecError(_FaultsError):
    """A file in ``tenant_specs/`` is wrong."""


class SettingsError(_FaultsError):
    """An environment variable is missing or wrong."""


class PlanError(_FaultsError):
    """Specs and store contradict each other; nothing was planned."""


class RegistryError(_FaultsError):
    """What a person asked of a tenant's models cannot be done, or would do nothing."""


class NothingToDoError(RegistryError):
    """What a person asked of a tenant's models would change nothing."""


class StoreError(TenantryError):
    """The store refused or failed."""


class ObjectMissingError(StoreError):
    """No object has that key."""


class PreconditionError(StoreError):
    """A conditional write lost: the key exists, or its tag has changed."""


class StoreDeniedError(StoreError):
    """Whoever asked may not do that there."""


class StoreUnavailableError(StoreError):
    """The store did not answer, or answered that it is busy."""

    transient = True


class RecordError(TenantryError, ValueError):
    """An object is not what its key says: somebody damaged it."""


class SourceError(TenantryError):
    """A source is missing, unreadable or lacks a declared column."""


class SourceUnavailableError(SourceError):
    """A source did not answer."""

    transient = True


class ContractError(_FaultsError):
    """The data break the contract of the spec."""


class TrainingError(TenantryError):
    """No model can be fitted on these rows."""


class ModelFileError(TenantryError):
    """A model file is not what its pointer says, or holds a type outside our allow-list."""


class NotPackableError(TenantryError):
    """A model holds what packed models do not have; scikit-learn serves it."""


class ScoringError(TenantryError):
    """A model cannot score a tenant's rows: the spec has changed what it reads."""


class ServingError(TenantryError):
    """A server cannot answer for a tenant by what is published of it."""


class FieldsError(_FaultsError):
    """The fields of a request are not what the contract says."""


class ChampionMovedError(TenantryError):
    """A champion was crowned, restored or pinned while a decision about it was made."""

    transient = True


class ErasureError(_FaultsError):
    """What is to be erased cannot be, or not yet; nothing was removed."""


class OnboardingError(_FaultsError):
    """A tenant, or its rows, cannot be taken on as they are; nothing was written."""


class WebhookError(TenantryError):
    """A webhook refused a message."""


class WebhookUnavailableError(WebhookError):
    """A webhook did not answer, or answered that it is busy."""

    transient = True


class WorkerDiedError(TenantryError):
    """A tenant's worker process was killed: memory, time or a crash."""


class FleetError(TenantryError):
    """More tenants failed than the run allows."""
