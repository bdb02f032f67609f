import copy
import re
import shutil

import pytest
import yaml

from tests.manifests.documents import MANIFESTS, OVERLAYS, ROOT, crd_folder, golden
from tests.manifests.goldens import build, normalised

NEEDS_CRDS = pytest.mark.skipif(
    crd_folder() is None, reason="TENANTRY_CRDS names no folder of resource definitions"
)


FOREIGN = re.compile(r"pipelines\.kubeflow\.org|serving\.kserve\.io|monitoring\.coreos\.com")


def applicable(built):
    """Leave out kinds that nobody has defined here."""
    documents = [one for one in yaml.safe_load_all(built) if one]
    if crd_folder() is None:
        documents = [one for one in documents if not FOREIGN.match(one["apiVersion"])]
    return documents


def stored(cluster, documents):
    """Kind and name → all that is stored of it, who owns which field and since when included.

    The resource version alone would not do: a second write of an unchanged claim moves it.
    """
    found = {}
    for one in documents:
        where = ["-n", one["metadata"]["namespace"]] if "namespace" in one["metadata"] else []
        group, _, _ = one["apiVersion"].rpartition("/")
        kind = f"{one['kind']}.{group}" if "." in group else one["kind"]
        there = cluster.get(kind, one["metadata"]["name"], *where, "--show-managed-fields")
        del there["metadata"]["resourceVersion"]
        found[one["kind"], one["metadata"]["name"]] = there
    return found


@pytest.fixture(scope="module", params=OVERLAYS)
def applied(request, cluster):
    """An overlay, built and applied once."""
    built = build(request.param)  # after `cluster`, which skips where kustomize is missing
    documents = applicable(built)
    text = yaml.safe_dump_all(documents)
    for name in {one["metadata"].get("namespace") for one in documents} - {None}:
        there = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        own = [one for one in documents if one["kind"] == "Namespace"]
        cluster.apply(yaml.safe_dump_all(own or [there]))
    said = cluster.apply(text)
    return request.param, built, documents, text, said


def test_it_applies_with_strict_fields_and_without_a_warning(applied):
    _, _, documents, _, said = applied
    assert len([line for line in said if line.endswith("serverside-applied")]) == len(documents)
    assert [line for line in said if "Warning" in line] == []


def test_it_applies_again_without_a_change(applied, cluster):
    _, _, documents, text, _ = applied
    before = stored(cluster, documents)
    cluster.apply(text)
    assert stored(cluster, documents) == before


def test_it_is_what_the_golden_file_says(applied):
    overlay, built, *_ = applied
    assert list(yaml.safe_load_all(normalised(built))) == golden(overlay)


def test_an_unknown_field_is_refused(applied, cluster):
    _, _, documents, _, _ = applied
    role = copy.deepcopy(next(one for one in documents if one["kind"] == "Role"))
    role["ruels"] = []
    said = cluster.apply(yaml.safe_dump(role), check=False)
    assert any("ruels" in line for line in said)


def test_a_push_of_one_tenants_file_makes_the_sync_job_run_again(cluster, tmp_path):
    for folder in ("manifests", "tenant_specs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)

    def job():
        documents = yaml.safe_load_all(build("dev", tmp_path / "manifests"))
        return next(one for one in documents if one["kind"] == "Job")

    before = job()
    assert job() == before
    with (tmp_path / "tenant_specs/arrival-delay/ua.yaml").open("a") as file:
        file.write("# edited\n")
    assert job()["spec"]["template"] != before["spec"]["template"]


@NEEDS_CRDS
@pytest.mark.parametrize("example", ["argocd-application.yaml", "flux.yaml"])
def test_examples_of_gitops_are_taken(cluster, example):
    documents = [
        one
        for one in yaml.safe_load_all((MANIFESTS / "examples" / example).read_text())
        if one["kind"] != "GitRepository"
    ]
    for one in documents:
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": one["metadata"]["namespace"]},
        }
        cluster.apply(yaml.safe_dump(namespace))
    cluster.apply(yaml.safe_dump_all(documents))
