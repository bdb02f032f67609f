import shutil

import pytest
import yaml

from pipelines.cluster import read_secret_names
from pipelines.compiling import compile_fleet, version_name
from tenantry.settings import load_settings
from tests.manifests.documents import ROOT
from tools.rendering.files import render
from tools.rendering.spec_maps import LIMIT_BYTES, spec_kustomization, split_products


@pytest.fixture(scope="module")
def rendered():
    return render(ROOT)


@pytest.fixture
def specs(tmp_path):
    return shutil.copytree(ROOT / "tenant_specs", tmp_path / "tenant_specs")


def test_rendered_files_are_current(rendered):
    stale = [str(path) for path, text in rendered.items() if (ROOT / path).read_text() != text]
    assert stale == [], "run: make render"


def test_editing_a_tenant_renders_nothing_and_adding_one_does(specs):
    before = spec_kustomization(specs)
    (specs / "arrival-delay/ua.yaml").write_text("apiVersion: tenantry/v2\ntenant: ua\n")
    assert spec_kustomization(specs) == before
    (specs / "arrival-delay/zz.yaml").write_text("apiVersion: tenantry/v2\ntenant: zz\n")
    assert spec_kustomization(specs) != before


def test_every_file_of_every_product_is_carried_once(specs):
    listed = [
        name for one in spec_kustomization(specs)["configMapGenerator"] for name in one["files"]
    ]
    there = [
        str(path.relative_to(specs))
        for path in (specs / "connections.yaml", *specs.glob("arrival-*/*.yaml"))
    ]
    assert sorted(listed) == sorted(there)


def test_a_big_fleet_takes_as_many_maps_as_a_megabyte_each_needs(specs):
    for number in range(3_000):
        (specs / f"arrival-delay/t{number}.yaml").write_text("#" * 1_000)
    parts = split_products(specs)["arrival-delay"]
    sizes = [
        sum((specs / "arrival-delay" / name).stat().st_size for name in part) for part in parts
    ]
    assert len(parts) == 4
    assert max(sizes) <= LIMIT_BYTES
    assert len({name for part in parts for name in part}) == 3_000 + 17


def test_the_job_is_named_by_what_it_says_and_the_daily_one_does_the_same(rendered):
    text = next(text for path, text in rendered.items() if path.name == "sync-job.yaml")
    job, daily = yaml.load_all(text, yaml.CSafeLoader)
    assert job["metadata"]["annotations"]["argocd.argoproj.io/hook"] == "Sync"
    assert job["metadata"]["annotations"]["kustomize.toolkit.fluxcd.io/force"] == "enabled"
    assert job["metadata"]["name"].rpartition("-")[2].isalnum()
    once = daily["spec"]["jobTemplate"]["spec"]
    assert (once["backoffLimit"], once["template"]["spec"]["restartPolicy"]) == (0, "Never")
    once["backoffLimit"], once["template"]["spec"]["restartPolicy"] = 6, "OnFailure"
    assert once == job["spec"]
    assert daily["spec"]["concurrencyPolicy"] == "Forbid"


def test_the_job_compiles_with_the_images_that_were_rendered(rendered):
    text = next(text for path, text in rendered.items() if path.name == "sync-job.yaml")
    job, _ = yaml.load_all(text, yaml.CSafeLoader)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    given = {one["name"]: one["value"] for one in container["env"]}
    assert container["image"] == f"{given['IMAGE_REGISTRY']}/sync:{given['IMAGE_TAG']}"


def test_the_job_makes_the_version_that_was_rendered_whatever_its_own_connections(
    rendered, tmp_path
):
    text = next(text for path, text in rendered.items() if path.name == "sync-job.yaml")
    template = next(yaml.load_all(text, yaml.CSafeLoader))["spec"]["template"]
    (container,) = template["spec"]["containers"]
    named = [one.removeprefix("--secret=") for one in container["args"] if "--secret=" in one]
    own = read_secret_names(load_settings({"TENANTRY_SPECS": str(ROOT / "tenant_specs")}))
    assert own.sources == ()
    spec, _ = compile_fleet(tmp_path, secrets=own.with_sources(named))
    assert version_name(spec) == template["metadata"]["annotations"]["tenantry/pipeline-version"]


def test_the_bucket_job_runs_the_image_that_was_rendered(monkeypatch):
    monkeypatch.setenv("IMAGE_REGISTRY", "registry.example/ours")
    monkeypatch.setenv("IMAGE_TAG", "1.2.3")
    text = next(text for path, text in render(ROOT).items() if path.name == "bucket-job.yaml")
    (container,) = yaml.safe_load(text)["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/ours/plan:1.2.3"


@pytest.mark.parametrize("file", ["deployment.yaml", "inference-service.yaml"])
def test_servers_run_the_image_that_was_rendered(monkeypatch, file):
    monkeypatch.setenv("IMAGE_REGISTRY", "registry.example/ours")
    monkeypatch.setenv("IMAGE_TAG", "1.2.3")
    text = next(text for path, text in render(ROOT).items() if path.name == file)
    assert "image: registry.example/ours/serve:1.2.3\n" in text


def test_overlays_connections_are_among_the_secrets(rendered):
    text = next(text for path, text in rendered.items() if path.name == "pipeline.yaml")
    assert "EWR_PASSWORD" in text
