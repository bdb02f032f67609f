import re

from pipelines.cluster import ALERTS_SECRET, MOUNTS, SETTINGS_MAP, SOURCES_SECRET, STORE_SECRET
from tests.manifests.documents import MANIFESTS, OVERLAYS, ROOT, golden

TEXT = (ROOT / "docs/operations.md").read_text()


def test_everything_that_the_spec_reads_from_the_namespace_is_explained():
    for name in (*MOUNTS, SETTINGS_MAP, ALERTS_SECRET, SOURCES_SECRET, STORE_SECRET):
        assert f"`{name}`" in TEXT


def test_every_kind_of_object_is_explained():
    kinds = {one["kind"] for name in OVERLAYS for one in golden(name)}
    words = {
        "NetworkPolicy": "network policies",
        "ResourceQuota": "quota",
        "LimitRange": "limits",
        "PriorityClass": "priority class",
        "PodDisruptionBudget": "disruption budget",
        "Job": "sync job",
        "ServiceAccount": "accounts",
    }
    assert {kind for kind in kinds & words.keys() if words[kind] not in TEXT} == set()


def test_make_targets_and_files_that_it_names_exist():
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`make ([a-z-]+)", TEXT):
        assert f"\n{target}:" in makefile
    for overlay in re.findall(r"manifests/overlays/(\w+)", TEXT):
        assert (MANIFESTS / "overlays" / overlay).is_dir()
