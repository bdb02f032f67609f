"""The fixtures of the cluster's tests: one control plane for the session."""

import time

import pytest

from tests.manifests.documents import crd_folder
from tests.servers.kubernetes.control_plane import control_plane_running
from tests.servers.kubernetes.programs import PACKAGES, program_path


def wait_for_definitions(plane, seconds=60):
    """Wait until all are served; `kubectl wait` fails on one that has no status yet."""
    deadline = time.monotonic() + seconds
    while not all(map(is_established, plane.get("crds")["items"])):
        assert time.monotonic() < deadline, "definitions are not served"
        time.sleep(0.2)


def is_established(definition):
    conditions = definition.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A real kube-apiserver with etcd, and the definitions of other projects' kinds.

    `make cluster-test` builds the programs; where nobody has, these tests are skipped.
    """
    if missing := [name for name in PACKAGES if not program_path(name).exists()]:
        pytest.skip(f"{', '.join(missing)} not built; make cluster-test builds and tests")
    with control_plane_running(tmp_path_factory.mktemp("cluster")) as plane:
        if folder := crd_folder():
            for path in sorted(folder.glob("*.yaml")):
                plane.apply(path.read_text())
            wait_for_definitions(plane)
        yield plane
