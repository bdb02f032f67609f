import re
import subprocess
import sys
from functools import cache

import pytest
from kfp import components

from pipelines.compiling import version_name
from pipelines.fleet import NAME, SLOT
from pipelines.local import compile_local
from tenantry.ledger import STAGES
from tests.manifests.documents import load


@pytest.fixture
def compiled(compiled_fleet):
    return compiled_fleet


@cache
def documents(path):
    return load(path)


def test_compiling_again_elsewhere_gives_the_same_bytes(compiled, tmp_path):
    command = [sys.executable, "-m", "pipelines", "compile", "--out", str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    for path in compiled:
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_it_loads_back_with_its_parameters(compiled):
    loaded = components.load_component_from_file(str(compiled[0]))
    assert loaded.name == NAME
    assert {name: spec.default for name, spec in loaded.component_spec.inputs.items()} == {
        "product": "arrival-delay",
        "region": "",
        "as_of": "",
        "tenants": "",
        "partition": "",
        "size": "",
        "max_shards": 32,
        "force": False,
        "cpu_budget": 0.0,
        "backfill_from": "",
        "backfill_to": "",
        "backfill_model": "then",
        "max_failed_share": 0.1,
        "cpu_request": "1",
        "cpu_limit": "2",
        "memory_request": "4Gi",
        "memory_limit": "9Gi",
    }


def test_every_parameter_and_artifact_is_described(compiled):
    spec = documents(compiled[0])[0]
    root = spec["root"]["inputDefinitions"]["parameters"]
    assert [name for name, parameter in root.items() if not parameter.get("description")] == []


def executors(path):
    return documents(path)[0]["deploymentSpec"]["executors"]


def test_components_hold_a_few_lines_and_install_nothing(compiled):
    for name, executor in executors(compiled[0]).items():
        source = " ".join(executor["container"]["command"])
        body = source.split('"""')[-1]
        assert len(source) < 3_000, name
        assert "pip install" not in source
        assert len([line for line in body.splitlines() if line.strip()]) <= 20, name


def test_it_holds_nothing_of_this_machine(compiled):
    for path in compiled:
        text = path.read_text()
        assert not re.search(r"/(home|root|work|tmp|usr)/", text)
        assert "localhost" not in text


def test_the_loop_holds_the_six_stages_and_no_task_is_cached_or_root(compiled):
    spec, platform = documents(compiled[0])
    loop = spec["components"]["comp-for-loop-2"]["dag"]["tasks"]
    assert sorted(loop) == sorted(stage.replace("_", "-") for stage in STAGES)
    tasks = [
        task
        for component in (*spec["components"].values(), spec["root"])
        for task in component.get("dag", {}).get("tasks", {}).values()
        if "cachingOptions" in task or not task["componentRef"]["name"].startswith("comp-for")
    ]
    assert not any(task.get("cachingOptions", {}).get("enableCache") for task in tasks)
    hardened = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert hardened.keys() == executors(compiled[0]).keys()
    for config in hardened.values():
        assert config["securityContext"]["runAsNonRoot"] is True
        assert int(config["securityContext"]["runAsUser"]) > 0


def test_a_local_run_differs_by_the_slot_alone(compiled, tmp_path):
    local = tmp_path / "local.yaml"
    compile_local(local, "2013-10-01T00:00:00Z")
    ours, theirs = compiled[0].read_text(), local.read_text()
    assert SLOT in ours
    assert ours.replace(SLOT, "2013-10-01T00:00:00Z").replace("'", "") == theirs.replace("'", "")


def test_the_manifests_carry_the_same_spec_under_its_digest(compiled):
    spec, manifest = compiled
    kinds = {document["kind"]: document for document in documents(manifest)}
    assert kinds.keys() == {"Pipeline", "PipelineVersion"}
    version = kinds["PipelineVersion"]
    assert version["metadata"]["name"] == version_name(spec)
    assert version["spec"]["pipelineSpec"] == documents(spec)[0]
