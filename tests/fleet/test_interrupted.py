"""A shard killed in the middle: the report names what is unknown, and the next run completes it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tenantry import layout
from tenantry.surveys import find_differences, survey, tend
from tenantry.tasks import report_run, run_shard, train_pooled_run
from tenantry.times import parse_moment
from tests.fleet.conftest import OCTOBER, copied, kept_environment, with_specs, write_landing
from tests.fleet.harness import PRODUCT, comparable
from tests.unit.stored_tenant import StoredTenant

RUN_TRAIN = "import sys; from tenantry.tasks import run_shard; run_shard('train', *sys.argv[1:])"


def kill_while_training(fleet, shard, folder):
    """Start `train` of a shard in a process of its own; kill it when it works on a tenant."""
    command = [sys.executable, "-c", RUN_TRAIN, f"{folder}/{shard}.build_features"]
    process = subprocess.Popen([*command, f"{folder}/train", f"{folder}/train.md"])
    while not any(fleet.store.list(layout.at_work_folder(PRODUCT))):
        assert process.poll() is None, "the shard ended before it could be killed"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    time.sleep(2)  # its workers see that it is gone once they have ended what they were at


def interrupt(fleet):
    """Run a fleet whose only shard dies while it trains; return its report's page and figures."""
    fleet.enter()
    folder = fleet.home / "files" / "run-1"
    folder.mkdir(parents=True)
    (shard,) = fleet.plan(OCTOBER, "run-1", folder, max_shards=1)
    train_pooled_run(f"{folder}/plan", f"{folder}/pooled", f"{folder}/pooled.md")
    ingested, built = f"{folder}/{shard}.ingest", f"{folder}/{shard}.build_features"
    run_shard("ingest", f"{folder}/plan", ingested, f"{folder}/1.md", shard, f"{folder}/pooled")
    run_shard("build_features", ingested, built, f"{folder}/2.md")
    kill_while_training(fleet, shard, folder)
    figures = report_run("run-1", PRODUCT, "FAILED", f"{folder}/page.html", f"{folder}/page.md")
    return (folder / "page.html").read_text(), figures


def age_openings(fleet):
    """Let the openings in the store have been written two days ago."""
    for info in fleet.store.list(layout.openings_folder(PRODUCT)):
        path = fleet.store_folder / info.key
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 2 * 86400))


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory, landing, small_flights):
    """The fleet whose shard was killed, to be copied, and its report's page and figures."""
    home = tmp_path_factory.mktemp("interrupted") / "fleet"
    write_landing(home / "landing", landing, small_flights, None)
    fleet = with_specs(home)
    with kept_environment():
        page, figures = interrupt(fleet)
    return fleet, page, figures


def test_the_tenants_of_a_killed_shard_are_seen_from_their_folders(interrupted, tmp_path):
    fleet = copied(interrupted[0], tmp_path / "fleet")
    StoredTenant(fleet.store, "f9").tell("retired", parse_moment(OCTOBER))  # a worker's last word
    found = survey(fleet.store, PRODUCT)
    assert found.open_tenants == {"f9", "fl", "ha", "oo", "vx"}
    assert found.index.lines == {}
    records = {tenant: found.record(tenant) for tenant in found.open_tenants}
    assert records["f9"].retired
    assert 1 <= sum(record.marked for record in records.values()) <= 2
    age_openings(fleet)
    tend(survey(fleet.store, PRODUCT))
    healed = survey(fleet.store, PRODUCT)
    assert healed.open_tenants == frozenset()
    assert healed.record("f9").retired
    assert find_differences(healed) == {}
    for tenant, record in records.items():
        assert healed.record(tenant).as_of(parse_moment(OCTOBER)).interrupted == record.marked


def test_the_next_run_completes_what_a_killed_shard_left(interrupted, undisturbed, tmp_path):
    made, page, figures = interrupted
    broken = copied(made, tmp_path / "fleet")
    assert figures["unknown"] == figures["tenants"] == 5
    assert "Its shard died in train" in page
    assert all(f">{tenant}<" in page for tenant in ("f9", "fl", "ha", "oo", "vx"))
    completed = broken.run(OCTOBER, "run-2")
    assert completed.failures() == {}
    whole = comparable(undisturbed.then, undisturbed.october.run)
    assert comparable(broken, "run-1", "run-2") == whole
    age_openings(broken)
    tend(survey(broken.store, PRODUCT))
    assert find_differences(survey(broken.store, PRODUCT)) == {}
