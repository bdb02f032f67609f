"""What Git declares, as the parts that a sync keeps equal."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipelines.cluster import read_secret_names
from pipelines.compiling import compile_fleet, version_name
from pipelines.kubeflow import ACCOUNT, Kubeflow, KubeflowError
from pipelines.schedule_faults import find_spec_faults
from pipelines.schedules import find_recurring, read_schedules
from pipelines.syncing import Cluster, Database, Part, Recurrences, Specs
from tenantry.errors import SpecError
from tenantry.settings import Settings
from tenantry.specs.bundle import find_published, read_folder
from tenantry.specs.faults import place_in
from tenantry.specs.parts import DNS_LABEL
from tenantry.store.open import open_store

DEFAULT_NAMESPACE = "kubeflow"
"""Where Kubeflow is in single-user mode."""


@dataclass(frozen=True)
class Declared:
    """What to keep equal, and for whom.

    Attributes:
        schedules: The file of schedules.
        owner: Whose all of it is.
        experiment: Experiment of the recurring runs.
        region: Only this region's; empty where there is one store.
        clock: The time zone of Kubeflow's controller.
        account: The service account of runs.
        secrets: Variables of connections beyond those that the own file names.
    """

    schedules: Path
    owner: str = "tenantry"
    experiment: str = "tenantry"
    region: str = ""
    clock: str = "UTC"
    account: str = ACCOUNT
    secrets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an owner that a mark in a description could not hold.

        Raises:
            KubeflowError: It is no DNS label.
        """
        if not re.fullmatch(DNS_LABEL, self.owner):
            raise KubeflowError(f"owner {self.owner!r}: write a DNS label, e.g. team-a")


@contextmanager
def declared_parts(
    kubeflow: Kubeflow, settings: Settings, declared: Declared
) -> Iterator[tuple[Part, ...]]:
    """Yield the parts in the order in which they are needed; faults in Git are told first.

    Args:
        kubeflow: The API.
        settings: Which folder of specs, and which store.
        declared: What to keep equal.

    Raises:
        SpecError: The specs, or the schedules, are wrong.
        SettingsError: The store cannot be opened.
        StoreError: The store failed.
    """
    bundle, listed = read_folder(settings.specs), read_schedules(declared.schedules)
    if faults := [*find_spec_faults(listed, settings)]:
        raise SpecError(dict.fromkeys(place_in(declared.schedules.name, faults)))
    store, owner = open_store(settings, declared.region), declared.owner
    seen = find_published(store)
    with tempfile.TemporaryDirectory() as folder:
        secrets = read_secret_names(settings).with_sources(declared.secrets)
        spec, manifest = compile_fleet(Path(folder), secrets=secrets)
        wanted = find_recurring(
            listed,
            version_name(spec),
            now=datetime.now(UTC),
            clock=declared.clock,
            region=declared.region,
            account=declared.account,
        )
        pipeline: Part = Database(kubeflow, owner, spec)
        if kubeflow.pipeline_store() == "kubernetes":
            from pipelines.resources import Resources, connect_cluster

            namespace = kubeflow.namespace or DEFAULT_NAMESPACE
            pipeline = Cluster(Resources(connect_cluster(), namespace, owner), manifest)
        yield (
            Specs(store, bundle, seen),
            pipeline,
            Recurrences(kubeflow, owner, wanted, declared.experiment),
        )
