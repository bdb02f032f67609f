"""Alert rules load, know the metrics that runs and servers tell, and alarm when they should."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tenantry.report.openmetrics import NAMES
from tenantry.serving import figures
from tests.manifests.documents import MANIFESTS
from tests.servers.promtool import find_promtool

RULES = MANIFESTS / "monitoring" / "alerts.yaml"
TESTS = Path(__file__).parent / "prometheus" / "alerts_test.yaml"
(GROUP,) = yaml.safe_load(RULES.read_text())["groups"]


KNOWN = {*NAMES, *(f"tenantry_serving_{name}" for name in figures.NAMES)}


def run(command, **options):
    return subprocess.run(command, check=False, capture_output=True, text=True, **options)


@pytest.fixture(scope="module")
def promtool():
    found = find_promtool()
    if found is None:
        pytest.skip("promtool is not there; `make test-servers` fetches it where apt is")
    return str(found)


@pytest.mark.parametrize("rule", GROUP["rules"], ids=lambda rule: rule["alert"])
def test_every_rule_says_what_happened_and_what_to_do(rule):
    assert set(rule) == {"alert", "expr", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert set(rule["annotations"]) == {"summary", "action"}


@pytest.mark.parametrize("rule", GROUP["rules"], ids=lambda rule: rule["alert"])
def test_rules_are_about_metrics_that_there_are(rule):
    words = " ".join((rule["expr"], *rule["annotations"].values()))
    named = {one.removesuffix("_total") for one in re.findall(r"tenantry_\w+", words)}
    assert named
    assert named <= KNOWN


def test_rules_load(promtool):
    checked = run([promtool, "check", "rules", RULES])
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(GROUP['rules'])} rules found" in checked.stdout


def test_rules_alarm_when_they_should_and_are_quiet_else(promtool, tmp_path):
    for path in (RULES, TESTS):
        shutil.copy(path, tmp_path)
    tested = run([promtool, "test", "rules", TESTS.name], cwd=tmp_path)
    assert tested.returncode == 0, tested.stdout + tested.stderr
