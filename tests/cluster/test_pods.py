import copy
from dataclasses import asdict

import pytest
import yaml

from components._image import GROUPS
from pipelines.compiling import compile_fleet
from pipelines.parameters import ClusterParameters
from tests.cluster.pods import executor_pod
from tests.manifests.documents import pod_specs
from tests.manifests.goldens import build

NAMESPACE = "tenantry"


@pytest.fixture(scope="module")
def namespace(cluster):
    """The namespace of production with its limits and accounts, and its documents."""
    documents = [one for one in yaml.safe_load_all(build("prod")) if one]
    kinds = ("Namespace", "LimitRange", "ServiceAccount", "ResourceQuota")
    for kind in kinds[:-1]:
        cluster.apply(yaml.safe_dump_all([one for one in documents if one["kind"] == kind]))
    return documents


@pytest.fixture(scope="module")
def pods(tmp_path_factory):
    """Stage → the pod that the backend makes of the compiled spec."""
    spec, platform = yaml.safe_load_all(
        compile_fleet(tmp_path_factory.mktemp("spec"))[0].read_text()
    )
    asked = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    values = {name: str(value) for name, value in asdict(ClusterParameters()).items()}
    return {
        name.removeprefix("exec-").replace("-", "_"): executor_pod(
            name, executor["container"], asked[name], values
        )
        for name, executor in spec["deploymentSpec"]["executors"].items()
    }


def create(cluster, pod, check=True):
    flags = ["--dry-run=server", "--validate=strict", "-n", NAMESPACE, "-o", "yaml", "-f", "-"]
    return cluster.run("create", *flags, text=yaml.safe_dump(pod), check=check)


@pytest.mark.parametrize("stage", sorted(GROUPS))
def test_a_stages_pod_is_admitted_among_restricted_ones(cluster, namespace, pods, stage):
    made = yaml.safe_load(create(cluster, pods[stage]).stdout)
    main = made["spec"]["containers"][0]
    assert main["resources"]["limits"].keys() == {"cpu", "memory"}
    assert made["metadata"]["labels"]["tenantry/stage"] == stage
    (launcher,) = made["spec"]["initContainers"]
    assert launcher["resources"]["limits"] == {"cpu": "1", "memory": "512Mi"}  # the LimitRange's


def test_without_the_security_context_it_would_be_refused(cluster, namespace, pods):
    pod = copy.deepcopy(pods["train"])
    del pod["spec"]["containers"][0]["securityContext"]
    refused = create(cluster, pod, check=False)
    assert refused.returncode != 0
    assert 'violates PodSecurity "restricted' in refused.stderr


def test_the_pods_of_all_workloads_are_admitted(cluster, namespace):
    for overlay in ("prod", "kserve", "local"):
        for owner, spec in pod_specs([one for one in yaml.safe_load_all(build(overlay)) if one]):
            name = owner.lower().replace("/", "-")
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
            create(cluster, pod)
