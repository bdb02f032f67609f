import json

import pytest
from typer.testing import CliRunner

from pipelines.__main__ import app

run = CliRunner().invoke


def test_a_page_is_written_and_the_figures_printed(tmp_path):
    page = tmp_path / "new" / "fleet.html"
    done = run(app, ["simulate", "--tenants", "10, 100", "--page", str(page), "-o", "json"])
    assert done.exit_code == 0
    assert [one["tenants"] for one in json.loads(done.stdout)] == [10, 100]
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_a_broken_limit_is_named():
    done = run(app, ["simulate", "--tenants", "100", "--max-shards", "90"])
    assert "100 tenants: a run's status" in " ".join(done.stdout.split())


@pytest.mark.parametrize("sizes", ["", "0", "1,x", "-5", "1e6", "2000000"])
def test_sizes_that_are_none_are_refused(sizes):
    done = run(app, ["simulate", "--tenants", sizes])
    assert done.exit_code == 2
    assert "Traceback" not in done.output
