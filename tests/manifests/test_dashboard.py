"""The Grafana dashboard loads, and asks for nothing that a run does not write."""

import json
import re
import subprocess
from collections import Counter
from itertools import combinations

import pytest
import yaml

from tenantry.fleet import read_fleet
from tenantry.report.openmetrics import NAMES, make_registry
from tests.manifests.documents import MANIFESTS
from tests.servers.promtool import find_promtool
from tests.unit.report.made_fleet import AS_OF, RUN, make_fleet

BOARD = json.loads((MANIFESTS / "monitoring" / "dashboard.json").read_text())
PANELS = BOARD["panels"]
VARIABLES = {one["name"]: one for one in BOARD["templating"]["list"]}
EXPRESSIONS = [target["expr"] for panel in PANELS for target in panel["targets"]]


@pytest.fixture(scope="module")
def labels():
    """Metric → the labels that its series bear."""
    found = make_registry(read_fleet(make_fleet(weeks=0), RUN), "FAILED", AS_OF).collect()
    return {one.name: set(one.samples[0].labels) for one in found}


def test_every_panel_says_what_it_shows():
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["targets"]
    assert Counter(panel["id"] for panel in PANELS).most_common(1)[0][1] == 1


def test_panels_stand_side_by_side_on_the_grid():
    def cells(panel):
        at = panel["gridPos"]
        xs, ys = range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])
        assert xs.stop <= 24
        return {(x, y) for x in xs for y in ys}

    for one, other in combinations(map(cells, PANELS), 2):
        assert not one & other


def test_the_source_and_the_product_are_chosen_where_it_is_looked_at():
    assert set(VARIABLES) == {"datasource", "product", "region"}
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert all(panel["datasource"] == source for panel in PANELS)
    used = {name for text in EXPRESSIONS for name in re.findall(r"\$(\w+)", text)}
    assert used == {"product", "region"}


def test_it_asks_for_metrics_that_a_run_writes_by_labels_that_they_bear(labels):
    asked = set()
    for panel in PANELS:
        for target in panel["targets"]:
            names = re.findall(r"tenantry_\w+", target["expr"])
            words = re.findall(r"(\w+)[!=]=?~?\"", target["expr"])
            by = [
                one
                for part in re.findall(r"by \(([^)]*)\)", target["expr"])
                for one in part.split(", ")
            ]
            shown = re.findall(r"{{(\w+)}}", target["legendFormat"])
            assert set(names) <= NAMES.keys()
            assert {*words, *by} <= set.union(*(labels[name] for name in names)), target["expr"]
            assert set(shown) <= set(by)
            asked |= set(names)
    assert asked == NAMES.keys(), "each metric is shown"


def test_prometheus_can_read_every_question(tmp_path):
    promtool = find_promtool()
    if promtool is None:
        pytest.skip("promtool is not there; `make test-servers` fetches it where apt is")
    rules = [
        {"record": f"asked:{n}", "expr": text.replace("$product", "p").replace("$region", ".*")}
        for n, text in enumerate(EXPRESSIONS)
    ]
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    command = [str(promtool), "check", "rules", str(path)]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
