"""Make Kubeflow equal to what Git declares: specs, the pipeline version, recurring runs.

What is ours bears a mark; nothing else is ever changed. A sync looks, does what differs, and looks
again until nothing does. So an interrupted one is completed by the next, and of two at once the
later to end finds what the other made: of recurring runs that are the same the oldest stays.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import kfp_server_api as api

from pipelines.compiling import version_name
from pipelines.fleet import NAME
from pipelines.kubeflow import Kubeflow, KubeflowError
from pipelines.resources import Resources, read_manifest
from pipelines.schedules import Recurring
from tenantry.specs.bundle import Bundle, find_published, publish
from tenantry.store.contract import ObjectStore

TITLE = "Tenantry: the fleet"
_ROUNDS = 5
_MARK = re.compile(
    r"\[tenantry-sync owner=(?P<owner>\S+)( key=(?P<key>\S+) digest=(?P<digest>\S+))?\]$"
)


@dataclass(frozen=True)
class Change:
    """One thing that differs.

    Attributes:
        what: What is done, in words.
        do: Does it.
    """

    what: str
    do: Callable[[], object] = field(repr=False, compare=False)


@dataclass(frozen=True)
class Owned:
    """A recurring run of ours, as it is."""

    run_id: str
    key: str
    digest: str
    enabled: bool
    created: str


@dataclass(frozen=True)
class Database:
    """Kubeflow keeps pipelines in its database: they are made through its API."""

    kubeflow: Kubeflow
    owner: str
    spec: Path

    def changes(self) -> Iterator[Change]:
        """Yield what is missing of the pipeline and its version.

        Raises:
            KubeflowError: A pipeline of that name is not ours.
        """
        pipeline, version = self.kubeflow.find_pipeline(NAME), version_name(self.spec)
        if pipeline is None:
            mark = _mark(self.owner)
            make = self.kubeflow.create_pipeline
            yield Change(f"create pipeline {NAME}", lambda: make(NAME, TITLE, mark))
        elif not _is_ours(pipeline.description, self.owner):
            raise _foreign(self.owner)
        elif self.kubeflow.find_version(pipeline.pipeline_id, version) is None:
            upload, identity = self.kubeflow.upload_version, str(pipeline.pipeline_id)
            yield Change(f"upload version {version}", lambda: upload(identity, version, self.spec))


@dataclass(frozen=True)
class Cluster:
    """Kubeflow keeps pipelines as resources: they are applied to the cluster."""

    resources: Resources
    manifest: Path

    def changes(self) -> Iterator[Change]:
        """Yield what is missing of the pipeline and its version.

        Raises:
            KubeflowError: A resource of that name is not ours.
        """
        for resource in read_manifest(self.manifest):
            found = self.resources.find(resource)
            if found is None:
                name = f"{resource['kind']} {resource['metadata']['name']}"
                yield Change(f"create {name}", lambda it=resource: self.resources.create(it))  # type: ignore[misc]
            elif not self.resources.is_ours(found):
                raise _foreign(self.resources.owner)


@dataclass(frozen=True)
class Specs:
    """What a folder of specs declares, published in the store.

    Attributes:
        store: The store.
        bundle: What is declared.
        seen: Digest of what was published when the sync began; it is not put in the place of
            anything else, which may be newer.
    """

    store: ObjectStore
    bundle: Bundle
    seen: str

    def changes(self) -> Iterator[Change]:
        """Yield the publication when another bundle holds, or none."""
        if find_published(self.store) != self.bundle.digest:
            what = f"publish specs {self.bundle.digest[:12]}: {len(self.bundle.files)} files"
            yield Change(what, lambda: publish(self.store, self.bundle, self.seen))


@dataclass(frozen=True)
class Recurrences:
    """The recurring runs of an owner.

    Attributes:
        kubeflow: The API.
        owner: Whose.
        wanted: As they should be.
        experiment: Name of the experiment that they run in.
    """

    kubeflow: Kubeflow
    owner: str
    wanted: Sequence[Recurring]
    experiment: str

    def changes(self) -> Iterator[Change]:
        """Yield what differs: what is missing first, then what is on or off, then what is to go."""
        if self.wanted and self.kubeflow.experiment_id(self.experiment) is None:
            create = self.kubeflow.create_experiment
            yield Change(f"create experiment {self.experiment}", lambda: create(self.experiment))
        owned = sorted(self._owned(), key=lambda one: (one.created, one.run_id))
        kept: dict[str, Owned] = {}
        for one in owned:
            if any((one.key, one.digest) == (it.key, it.digest) for it in self.wanted):
                kept.setdefault(one.key, one)
        for wanted in self.wanted:
            yield from self._missing(wanted, kept.get(wanted.key))
        for one in owned:
            if kept.get(one.key) is not one:
                yield Change(
                    f"delete recurring run {one.key} ({one.run_id})",
                    lambda it=one: self.kubeflow.delete_recurring_run(it.run_id),  # type: ignore[misc]
                )

    def _missing(self, wanted: Recurring, kept: Owned | None) -> Iterator[Change]:
        if kept is None:
            state = "" if wanted.enabled else ", off"
            yield Change(
                f"create recurring run {wanted.key}: {wanted.cron}{state}",
                lambda: self._create(wanted),
            )
        elif kept.enabled != wanted.enabled:
            yield Change(
                f"{'enable' if wanted.enabled else 'disable'} recurring run {wanted.key}",
                lambda: self.kubeflow.switch_recurring_run(kept.run_id, on=wanted.enabled),
            )

    def _owned(self) -> Iterator[Owned]:
        for run in self.kubeflow.recurring_runs():
            found = _MARK.search(run.description or "")
            if found and found["owner"] == self.owner and found["key"]:
                enabled = run.status != api.V2beta1RecurringRunStatus.DISABLED
                created = str(run.created_at)
                yield Owned(
                    str(run.recurring_run_id), found["key"], found["digest"], enabled, created
                )

    def _create(self, wanted: Recurring) -> None:
        pipeline = self.kubeflow.find_pipeline(NAME)
        version = pipeline and self.kubeflow.find_version(pipeline.pipeline_id, wanted.version)
        if not version:
            raise KubeflowError(f"{self.kubeflow.host}: has no version {wanted.version} yet")
        mode = api.RecurringRunMode
        self.kubeflow.create_recurring_run(
            api.V2beta1RecurringRun(
                display_name=wanted.title,
                description=f"From schedules.yaml. {_mark(self.owner, wanted)}",
                pipeline_version_reference=api.V2beta1PipelineVersionReference(
                    pipeline_id=version.pipeline_id,
                    pipeline_version_id=version.pipeline_version_id,
                ),
                runtime_config=api.V2beta1RuntimeConfig(parameters=wanted.parameters),
                trigger=api.V2beta1Trigger(cron_schedule=api.V2beta1CronSchedule(cron=wanted.cron)),
                max_concurrency=str(wanted.concurrency),
                mode=mode.ENABLE if wanted.enabled else mode.DISABLE,
                no_catchup=not wanted.catch_up,
                service_account=wanted.account or None,
                experiment_id=self.kubeflow.experiment_id(self.experiment),
            )
        )


class Part(Protocol):
    """What a sync keeps equal."""

    def changes(self) -> Iterator[Change]:
        """Yield what differs."""
        ...


def sync(parts: Sequence[Part], tell: Callable[[str], Any]) -> int:
    """Make each part equal to what is wanted, in order; return how many changes it took.

    Args:
        parts: What is kept equal; a later one may need an earlier one.
        tell: Called with each change before it is done.

    Raises:
        KubeflowError: The API refused, or others keep changing what is ours.
        StoreError: The store failed.
    """
    done = 0
    for part in parts:
        for _ in range(_ROUNDS):
            changes = list(part.changes())
            for change in changes:
                tell(change.what)
                change.do()
            done += len(changes)
            if not changes:
                break
        else:
            msg = "others keep changing what is ours; let one sync run at a time, then run it again"
            raise KubeflowError(msg)
    return done


def preview(parts: Sequence[Part], tell: Callable[[str], Any]) -> int:
    """Tell what a sync would begin with, and change nothing; return how many changes that is."""
    changes = [change for part in parts for change in part.changes()]
    for change in changes:
        tell(change.what)
    return len(changes)


def _mark(owner: str, wanted: Recurring | None = None) -> str:
    what = f" key={wanted.key} digest={wanted.digest}" if wanted else ""
    return f"[tenantry-sync owner={owner}{what}]"


def _is_ours(description: str | None, owner: str) -> bool:
    found = _MARK.search(description or "")
    return bool(found and found["owner"] == owner)


def _foreign(owner: str) -> KubeflowError:
    return KubeflowError(
        f"there is a pipeline {NAME} that is not of sync owner {owner}; rename or remove it, or"
        " give the --owner that it was made with"
    )
