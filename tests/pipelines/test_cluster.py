import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from pipelines.cluster import SETTINGS, STORE_KEYS, SecretNames, read_secret_names
from pipelines.compiling import compile_fleet
from pipelines.parameters import ClusterParameters
from tenantry.ledger import STAGES
from tenantry.settings import load_settings
from tests.manifests.documents import load

ASKED = Path(__file__).with_name("asked.json")
ROOT = Path(__file__).parents[2]


def compiled(folder, **given):
    return load(compile_fleet(folder, **given)[0])


def asked_of_backend(spec, platform):
    """Per task: resources, and what goes to the pod, as the spec says it."""
    configured = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return {
        name: {
            "resources": executor["container"]["resources"],
            "pod": configured[name],
        }
        for name, executor in spec["deploymentSpec"]["executors"].items()
    }


def test_what_the_spec_asks_of_the_backend_is_as_agreed(compiled_fleet, tmp_path):
    found = asked_of_backend(*load(compiled_fleet[0]))
    text = json.dumps(found, indent=1, sort_keys=True) + "\n"
    (tmp_path / "asked.json").write_text(text)
    assert text == ASKED.read_text(), f"if it is meant: cp {tmp_path / 'asked.json'} {ASKED}"


def test_parameters_reach_every_shard_through_the_loop(compiled_fleet):
    spec, _ = load(compiled_fleet[0])
    tasks = spec["components"]["comp-for-loop-2"]["dag"]["tasks"]
    outer = spec["components"]["comp-for-loop-2"]["inputDefinitions"]["parameters"]
    assert len(tasks) == len(STAGES)
    for task in tasks.values():
        for name in ("cpu_request", "cpu_limit", "memory_request", "memory_limit"):
            channel = f"pipelinechannel--{name}"
            given = task["inputs"]["parameters"]
            assert given[channel] == {"componentInputParameter": channel}
            assert channel in outer


def test_settings_stand_once_and_in_order():
    assert list(SETTINGS) == sorted(set(SETTINGS))


def test_every_setting_that_is_no_secret_comes_from_the_config_map():
    text = (ROOT / "docs/settings.md").read_text()
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", text, re.M))
    assert documented - {"USER", "XDG_CACHE_HOME"} <= {*SETTINGS, *STORE_KEYS}


def test_secrets_are_named_by_the_files_that_need_them_and_reach_who_reads(tmp_path):
    specs = tmp_path / "specs"
    specs.mkdir()
    (specs / "connections.yaml").write_text(
        "connections:\n"
        "  a: {url: 'postgresql://reader@db/a', secret: A_PASSWORD}\n"
        "  b: {url: 'postgresql://${B_USER}@db/b'}\n"
    )
    (specs / "regions.yaml").write_text(
        "regions:\n"
        "  eu: {store: 's3+https://eu.example/models',"
        " credentials: {access_key: EU_KEY, secret_key: EU_SECRET}}\n"
    )
    settings = load_settings({"TENANTRY_SPECS": str(specs)})
    secrets = read_secret_names(settings)
    assert secrets.sources == ("A_PASSWORD", "B_USER")
    assert {*secrets.store} == {*STORE_KEYS, "EU_KEY", "EU_SECRET"}
    asked = asked_of_backend(*compiled(tmp_path / "out", secrets=secrets))
    readers = {
        (secret["secretName"], name.removeprefix("exec-"))
        for name, one in asked.items()
        for secret in one["pod"]["secretAsEnv"]
        if secret["secretName"] != "tenantry-store"
    }
    assert readers == {
        ("tenantry-sources", "ingest"),
        ("tenantry-sources", "train-pooled"),
        ("tenantry-alerts", "report"),
    }


def test_a_spec_of_one_product_labels_its_pods(tmp_path):
    spec, platform = compiled(tmp_path, label="arrival-minutes")
    for one in asked_of_backend(spec, platform).values():
        assert one["pod"]["podMetadata"]["labels"]["tenantry/product"] == "arrival-minutes"
    assert spec["root"]["inputDefinitions"]["parameters"]["product"]["defaultValue"] == (
        "arrival-minutes"
    )


def test_no_value_of_a_secret_is_in_the_spec(tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2hunter2")
    for path in compile_fleet(tmp_path, secrets=SecretNames(sources=("AWS_SECRET_ACCESS_KEY",))):
        assert "hunter2" not in path.read_text()


@pytest.mark.parametrize("quantity", ["", "two", "4 Gi", "-1", "4GiB"])
def test_a_quantity_that_the_cluster_would_refuse_is_refused_before(quantity):
    with pytest.raises(typer.BadParameter, match="memory_limit: .* is no quantity"):
        replace(ClusterParameters(), memory_limit=quantity).check("2013-10-01")


def test_the_quantities_of_the_default_are_taken():
    ClusterParameters(cpu_request="500m", memory_limit="1.5Gi").check("2013-10-01")
