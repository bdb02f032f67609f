"""The compiled spec, run end to end by `kfp.local`, does what its tasks do one by one."""

import os

from pipelines.local import run_local
from tenantry.fleet import read_fleet
from tests.fleet.conftest import OCTOBER
from tests.fleet.harness import comparable

PARAMETERS = {"product": "arrival-delay", "as_of": OCTOBER, "max_shards": 2}


def test_the_compiled_spec_runs_the_fleet(make_fleet, undisturbed, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.path.abspath("src"), os.getcwd()]))
    compiled = make_fleet()
    compiled.enter()
    done = run_local(PARAMETERS, OCTOBER, compiled.home / "files", quiet=True)
    assert done.succeeded, done.log.read_text()[-3000:]
    state = read_fleet(compiled.store, done.run)
    assert {member.tenant for member in state.members} == {"f9", "fl", "ha", "oo", "vx"}
    assert not state.having("failed")
    assert "<html" in done.page.read_text()
    by_hand = comparable(undisturbed.then, undisturbed.october.run)
    assert comparable(compiled, done.run) == by_hand
    again = run_local(PARAMETERS, OCTOBER, compiled.home / "again", quiet=True)
    assert again.succeeded
    assert "othing was due" in again.page.read_text()
