"""The Grafana dashboards load, and ask for nothing that runs or servers do not tell."""

import json
import re
import subprocess
from collections import Counter, defaultdict
from itertools import combinations

import pytest
import yaml

from tenantry.fleet import read_fleet
from tenantry.report.openmetrics import NAMES, make_registry
from tenantry.serving import figures
from tests.manifests.documents import MANIFESTS
from tests.servers.promtool import find_promtool
from tests.unit.report.made_fleet import AS_OF, RUN, make_fleet

BOARDS = {
    name: json.loads((MANIFESTS / f"monitoring/{name}.json").read_text())
    for name in ("dashboard", "serving")
}
KNOWN = {
    "dashboard": NAMES.keys(),
    "serving": {f"tenantry_serving_{name}" for name in figures.NAMES},
}
CHOSEN = {"dashboard": {"product", "region"}, "serving": {"namespace"}}
EVERY_BOARD = pytest.mark.parametrize("board", BOARDS)


def panels_of(board):
    return BOARDS[board]["panels"]


def expressions(board):
    return [target["expr"] for panel in panels_of(board) for target in panel["targets"]]


def metrics_in(expression):
    """The metrics asked for, without what Prometheus' format appends to their names."""
    return {
        re.sub("_(total|bucket)$", "", name) for name in re.findall(r"tenantry_\w+", expression)
    }


@pytest.fixture(scope="module")
def labels():
    """Metric → the labels that its series bear; Prometheus adds a server's namespace itself."""
    found = make_registry(read_fleet(make_fleet(weeks=0), RUN), "FAILED", AS_OF).collect()
    of_runs = {one.name: set(one.samples[0].labels) for one in found}
    counted = figures.Figures()
    counted.answered("v2 infer", 200, 0.001)
    counted.refusals["rate"] = 1
    counted.logged["written"] = 1
    counted.tried["scored"] = 1
    of_servers = defaultdict(lambda: {"namespace"})
    text = figures.to_text(counted, [("p.a", 1)]).decode()
    for series, words in re.findall(r"^(\w+)\{(.*)\}", text, re.M):
        of_servers[metrics_in(series).pop()] |= {*re.findall(r"(\w+)=", words)}
    return of_runs | {name: of_servers[name] for name in KNOWN["serving"]}


@EVERY_BOARD
def test_every_panel_says_what_it_shows(board):
    for panel in panels_of(board):
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["targets"]
    assert Counter(panel["id"] for panel in panels_of(board)).most_common(1)[0][1] == 1


@EVERY_BOARD
def test_panels_stand_side_by_side_on_the_grid(board):
    def cells(panel):
        at = panel["gridPos"]
        xs, ys = range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])
        assert xs.stop <= 24
        return {(x, y) for x in xs for y in ys}

    for one, other in combinations(map(cells, panels_of(board)), 2):
        assert not one & other


@EVERY_BOARD
def test_the_source_and_of_what_it_tells_are_chosen_where_it_is_looked_at(board):
    variables = {one["name"] for one in BOARDS[board]["templating"]["list"]}
    assert variables == {"datasource", *CHOSEN[board]}
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert all(panel["datasource"] == source for panel in panels_of(board))
    used = {name for text in expressions(board) for name in re.findall(r"\$(\w+)", text)}
    assert used == CHOSEN[board]


@EVERY_BOARD
def test_it_asks_for_metrics_that_there_are_by_labels_that_they_bear(board, labels):
    asked = set()
    for panel in panels_of(board):
        for target in panel["targets"]:
            names = metrics_in(target["expr"])
            words = re.findall(r"(\w+)[!=]=?~?\"", target["expr"])
            by = [
                one
                for part in re.findall(r"by \(([^)]*)\)", target["expr"])
                for one in part.split(", ")
            ]
            shown = re.findall(r"{{(\w+)}}", target["legendFormat"])
            assert names <= KNOWN[board]
            assert {*words, *by} <= set.union(*(labels[name] for name in names)), target["expr"]
            assert set(shown) <= set(by)
            asked |= names
    assert asked == KNOWN[board], "each metric is shown"


@EVERY_BOARD
def test_prometheus_can_read_every_question(board, tmp_path):
    promtool = find_promtool()
    if promtool is None:
        pytest.skip("promtool is not there; `make test-servers` fetches it where apt is")
    rules = [
        {"record": f"asked:{n}", "expr": re.sub(r"\$\w+", "p", text)}
        for n, text in enumerate(expressions(board))
    ]
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    command = [str(promtool), "check", "rules", str(path)]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
