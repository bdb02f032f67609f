"""What a task asks of a Kubernetes cluster; `kfp.local` passes over all of it.

Kubeflow offers no knob for capabilities or a read-only root: the backend drops all capabilities
itself, and a volume at /tmp serves where a cluster's policy makes the root read-only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kfp import kubernetes
from kfp.dsl import PipelineTask
from kfp.dsl.pipeline_channel import PipelineChannel

from tenantry.settings import Settings
from tenantry.sources.connections import load_connections
from tenantry.specs.regions import load_regions

USER = 10001
SETTINGS_MAP = "tenantry-settings"
"""The ConfigMap whose keys are the variables of docs/settings.md that are no secret."""
STORE_SECRET = "tenantry-store"  # noqa: S105 - a Secret's name
SOURCES_SECRET = "tenantry-sources"  # noqa: S105 - a Secret's name
ALERTS_SECRET = "tenantry-alerts"  # noqa: S105 - a Secret's name
MOUNTS = {
    "tenantry-platform": "/etc/tenantry/platform",
    "tenantry-ca": "/etc/tenantry/ca",
}
"""ConfigMap → where its files are: `connections.yaml` and `regions.yaml`, which every stage reads;
the authorities that sign the store's certificate."""
STAGE_LABEL = "tenantry/stage"
PRODUCT_LABEL = "tenantry/product"

SETTINGS = (
    "AWS_REGION",
    "TENANTRY_CA_FILE",
    "TENANTRY_CODE_VERSION",
    "TENANTRY_CONNECTIONS",
    "TENANTRY_ENCRYPTION",
    "TENANTRY_ISOLATION",
    "TENANTRY_PAGES",
    "TENANTRY_PUSHGATEWAY",
    "TENANTRY_RECIPES",
    "TENANTRY_SPECS",
    "TENANTRY_STORE",
    "TENANTRY_STS_ROLE",
    "TENANTRY_STS_URL",
    "TENANTRY_WEBHOOK",
    "TENANTRY_WORKERS",
)
STORE_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

DEADLINES = {
    "plan": 3_600,
    "train_pooled": 4 * 3_600,
    "ingest": 4 * 3_600,
    "build_features": 4 * 3_600,
    "train": 12 * 3_600,
    "promote": 4 * 3_600,
    "predict": 4 * 3_600,
    "monitor": 4 * 3_600,
    "check_fleet": 1_800,
    "report": 3_600,
}
"""Stage → seconds a pod may take: the last resort against a hung machine. What a tenant may take is
`resources.timeout`, which the shard runner holds."""

CONNECTIONS_SECRETS = {
    "train_pooled": SOURCES_SECRET,
    "ingest": SOURCES_SECRET,
    "report": ALERTS_SECRET,
}
"""Stage → Secret whose keys are its connections' variables: those of sources; those of the webhook
and the Pushgateway, so that what sends messages has no password of a source."""
LIGHT = ("plan", "check_fleet", "report")
"""Stages that work on ledgers; what they need does not grow with a tenant's rows."""


@dataclass(frozen=True)
class Resources:
    """CPU and memory of a container: Kubernetes quantities, or parameters of the run."""

    cpu_request: PipelineChannel | str
    cpu_limit: PipelineChannel | str
    memory_request: PipelineChannel | str
    memory_limit: PipelineChannel | str


FIXED = Resources("250m", "2", "1Gi", "4Gi")
"""Of the stages in `LIGHT`."""


@dataclass(frozen=True)
class SecretNames:
    """Names of the variables whose values are secret; never the values.

    Attributes:
        store: Of the stores' credentials; keys of the Secret `tenantry-store`.
        sources: Of connections; keys of the Secrets `tenantry-sources` and `tenantry-alerts`.
    """

    store: tuple[str, ...] = STORE_KEYS
    sources: tuple[str, ...] = field(default=())

    def with_sources(self, names: Iterable[str]) -> "SecretNames":
        """Return these, and further ones of connections."""
        return replace(self, sources=tuple(sorted({*self.sources, *names})))


def read_secret_names(settings: Settings) -> SecretNames:
    """Read from `connections.yaml` and `regions.yaml` which variables hold secrets.

    Raises:
        SpecError: A file is missing or wrong.
    """
    nothing: Mapping[str, str] = {}
    connections = load_connections(settings.connections, nothing).connections.values()
    regions = load_regions(settings.specs)
    credentials = [one.credentials for one in regions.regions.values()] if regions else []
    stores = {name for one in credentials if one for name in one.names.values()}
    return SecretNames(
        store=tuple(sorted({*STORE_KEYS, *stores})),
        sources=tuple(sorted({name for one in connections for name in one.unset})),
    )


def harden(
    task: PipelineTask, stage: str, resources: Resources, secrets: SecretNames, product: str
) -> None:
    """Say what the pod of a task is allowed, given, called and limited to.

    Args:
        task: The task.
        stage: Its stage.
        resources: Its container's, where the stage is not one of `LIGHT`.
        secrets: Which variables come from Secrets.
        product: The product that all runs of this spec are of; empty where runs choose.
    """
    _limit(task, FIXED if stage in LIGHT else resources)
    kubernetes.set_timeout(task, DEADLINES[stage])
    kubernetes.set_image_pull_policy(task, "IfNotPresent")
    kubernetes.set_security_context(task, run_as_user=USER, run_as_group=USER, run_as_non_root=True)
    kubernetes.empty_dir_mount(task, "tenantry-tmp", "/tmp", size_limit="8Gi")  # noqa: S108
    kubernetes.add_pod_label(task, "app.kubernetes.io/part-of", "tenantry")
    kubernetes.add_pod_label(task, STAGE_LABEL, stage)
    if product:
        kubernetes.add_pod_label(task, PRODUCT_LABEL, product)
    kubernetes.use_config_map_as_env(task, SETTINGS_MAP, _same(SETTINGS), optional=True)
    for name, path in MOUNTS.items():
        kubernetes.use_config_map_as_volume(task, name, path, optional=True)
    kubernetes.use_secret_as_env(task, STORE_SECRET, _same(secrets.store), optional=True)
    if secrets.sources and (secret := CONNECTIONS_SECRETS.get(stage)):
        kubernetes.use_secret_as_env(task, secret, _same(secrets.sources), optional=True)


def _limit(task: PipelineTask, resources: Resources) -> None:
    task.set_cpu_request(resources.cpu_request).set_cpu_limit(resources.cpu_limit)
    task.set_memory_request(resources.memory_request).set_memory_limit(resources.memory_limit)
    # kfp 2.17 hands a parameter through a loop only where it is known as an input
    values = vars(resources).values()
    task.register_pipeline_channels([one for one in values if isinstance(one, PipelineChannel)])


def _same(names: tuple[str, ...]) -> dict[str, str]:
    return {name: name for name in names}
