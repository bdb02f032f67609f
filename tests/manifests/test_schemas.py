import copy

import pytest

from tests.manifests.documents import MANIFESTS, OVERLAYS, crd_folder, golden, load
from tests.manifests.schemas import find_faults

EXAMPLES = ("argocd-application.yaml", "flux.yaml")
NEED_CRDS = {
    *("Application", "InferenceService", "Kustomization"),
    *("Pipeline", "PipelineVersion", "PodMonitor"),
}


def known(documents):
    """Leave out the kinds whose definitions TENANTRY_CRDS does not bring, or in nobody's hands."""
    without = {"GitRepository"} | (set() if crd_folder() else NEED_CRDS)
    return [one for one in documents if one["kind"] not in without]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_overlay_holds_known_fields_of_the_right_types(overlay):
    faults = [fault for one in known(golden(overlay)) for fault in find_faults(one, crd_folder())]
    assert faults == []


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_of_gitops_do_too(example):
    documents = known(load(MANIFESTS / "examples" / example))
    assert [fault for one in documents for fault in find_faults(one, crd_folder())] == []


def test_the_compiled_resources_do_too():
    documents = known(load(MANIFESTS / "components/kubernetes-store/pipeline.yaml"))
    assert [fault for one in documents for fault in find_faults(one, crd_folder())] == []


def job():
    return next(one for one in golden("prod") if one["kind"] == "Job")


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("spec", "backofLimit"), 3, "backofLimit: there is no such field"),
        (("spec", "backoffLimit"), "3", "'3' is no int"),
        (("spec", "template", "spec", "containers"), None, "containers"),
    ],
)
def test_a_fault_is_found(path, value, fault):
    document = copy.deepcopy(job())
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    assert any(fault in found for found in find_faults(document, None))
