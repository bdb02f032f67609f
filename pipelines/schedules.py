"""`schedules.yaml`: the recurring runs that Git declares."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from pipelines.clock import Cron, CronError
from pipelines.kubeflow import ACCOUNT
from pipelines.parameters import ClusterParameters
from tenantry.digests import canonical_json, sha256
from tenantry.errors import Fault, SpecError
from tenantry.specs.document import read_document
from tenantry.specs.faults import place_in, read_parts, suggest
from tenantry.specs.parts import DnsLabel, SpecPart

OWN = ("product", "region", "partition", "as_of")
"""Parameters that a schedule's own fields give."""


class Schedule(SpecPart):
    """One schedule; a recurring run for each of its regions and partitions."""

    name: DnsLabel
    """Its name, unique in the file."""
    product: DnsLabel
    """The product."""
    cron: str = Field(min_length=1, max_length=100)
    """When: minute, hour, day of month, month, day of week; Kubeflow's seconds may stand first."""
    timezone: str = "UTC"
    """The time zone that `cron` is in, e.g. `Europe/Berlin`."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """Further parameters of the pipeline."""
    concurrency: int = Field(1, ge=1, le=10)
    """Runs at once at most."""
    catch_up: bool = False
    """Whether slots that were missed are run after all; the next run does their work anyway."""
    partitions: int = Field(1, ge=1, le=1000)
    """Parts that the fleet is spread over, a recurring run each."""
    regions: tuple[DnsLabel, ...] = ()
    """Regions of `regions.yaml`, a recurring run each; none where there is one store."""
    enabled: bool = True
    """Whether it is on."""


class Schedules(SpecPart):
    """All schedules."""

    schedules: tuple[Schedule, ...] = ()
    """In any order."""


_KINDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


@dataclass(frozen=True)
class Recurring:
    """A recurring run as it should be.

    Attributes:
        key: What it is of its owner's: schedule, region, part.
        title: For people.
        cron: Of Kubeflow, six fields, in the controller's time zone.
        parameters: Of the pipeline.
        concurrency: Runs at once at most.
        catch_up: Whether missed slots are run after all.
        version: Name of the pipeline version.
        account: The service account of its pods; empty: Kubeflow's default.
        enabled: Whether it is on.
    """

    key: str
    title: str
    cron: str
    parameters: dict[str, Any]
    concurrency: int
    catch_up: bool
    version: str
    account: str
    enabled: bool

    @property
    def digest(self) -> str:
        """What cannot be changed of one that exists: all but whether it is on."""
        content = asdict(self) | {"enabled": None}
        return sha256(canonical_json(content))[:16]


def read_schedules(path: Path) -> tuple[Schedule, ...]:
    """Read a file of schedules.

    Raises:
        SpecError: All its faults.
    """
    document = read_document(path, path.name)
    read, broken = read_parts(Schedules, document)
    faults = list(broken.values()) if broken else [*_find_faults(read)]
    if faults:
        raise SpecError(dict.fromkeys(place_in(path.name, faults)))
    return read.schedules


def find_recurring(
    schedules: tuple[Schedule, ...],
    version: str,
    *,
    now: datetime,
    clock: str,
    region: str = "",
    account: str = ACCOUNT,
) -> tuple[Recurring, ...]:
    """Return the recurring runs that schedules ask for.

    Args:
        schedules: The schedules.
        version: Name of the pipeline version.
        now: When; the difference between two time zones is taken as it is then.
        clock: The time zone that the cluster's controller reads crons in.
        region: Only those of this region; all when empty.
        account: The service account of their pods.

    Raises:
        SpecError: A cron cannot be written in the controller's time zone.
    """
    faults: list[Fault] = []
    found: list[Recurring] = []
    for schedule in schedules:
        try:
            cron = Cron.parse(schedule.cron).moved(schedule.timezone, clock, now)
        except CronError as error:
            faults.append(Fault(f"schedules.{schedule.name}.cron", str(error)))
            continue
        found += [
            replace(_make(schedule, cron, place, part), version=version, account=account)
            for place in schedule.regions or ("",)
            if not region or place in ("", region)
            for part in range(1, schedule.partitions + 1)
        ]
    if faults:
        raise SpecError(faults)
    return tuple(found)


def _make(schedule: Schedule, cron: Cron, region: str, part: int) -> Recurring:
    partition = f"{part}/{schedule.partitions}" if schedule.partitions > 1 else ""
    own = {"product": schedule.product, "region": region, "partition": partition}
    words = [schedule.name, *filter(None, (region, partition.replace("/", " of ")))]
    return Recurring(
        key="/".join(filter(None, (schedule.name, region, partition.replace("/", "-of-")))),
        title=f"{schedule.product}: {', '.join(words)}",
        cron=cron.text,
        parameters={**schedule.parameters, **own},
        concurrency=schedule.concurrency,
        catch_up=schedule.catch_up,
        version="",
        account="",
        enabled=schedule.enabled,
    )


def _find_faults(read: Schedules) -> Iterator[Fault]:
    names = [one.name for one in read.schedules]
    usual = asdict(ClusterParameters())
    for schedule in read.schedules:
        place = f"schedules.{schedule.name}"
        if names.count(schedule.name) > 1:
            yield Fault(f"{place}.name", "stands twice")
        try:
            Cron.parse(schedule.cron).moved(schedule.timezone, schedule.timezone, datetime.now(UTC))
        except CronError as error:
            yield Fault(f"{place}.cron", str(error))
        for name, value in schedule.parameters.items():
            yield from _find_parameter_faults(f"{place}.parameters.{name}", name, value, usual)


def _find_parameter_faults(
    place: str, name: str, value: object, usual: dict[str, Any]
) -> Iterator[Fault]:
    if name in OWN:
        yield Fault(place, "is not a schedule's to give", "see docs/gitops.md")
    elif name not in usual:
        yield Fault(place, "is no parameter of the pipeline", suggest(name, usual))
    elif type(value) is not (kind := type(usual[name])) and (kind, type(value)) != (float, int):
        yield Fault(place, f"is not {_KINDS[kind]}")
