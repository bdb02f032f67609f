import subprocess
import sys

import pytest

from tenantry.cpu import process_seconds
from tenantry.errors import FleetError
from tenantry.fleet import read_fleet
from tenantry.stages.check_fleet import check_fleet
from tests.unit.memory_store import MemoryStore
from tests.unit.report.made_fleet import RUN, make_fleet


def test_all_went_well():
    verdict = check_fleet(RUN, make_fleet(failing=False), 0.0)
    assert verdict == "All 16 tenants that were due went well."


def test_too_many_failed_and_each_is_named_with_stage_and_message():
    with pytest.raises(FleetError) as raised:
        check_fleet(RUN, make_fleet(), 0.2)
    lines = str(raised.value).splitlines()
    assert lines[0] == "4 of 16 tenants failed or are unknown (25%, 20% allowed):"
    assert lines[1] == (
        "- as: unknown: Its shard died in predict; predict and monitor stay due for the next run."
    )
    assert "- fl: train: all 1,204 labels are 0; wait for more data or check label.above" in lines
    assert any(line.startswith("- yv: ingest: arrival-delay/yv: distance: 31 %") for line in lines)


@pytest.mark.parametrize("allowed", [0.25, 0.5, 1.0])
def test_as_many_as_allowed_is_a_verdict_that_names_them(allowed):
    verdict = check_fleet(RUN, make_fleet(), allowed)
    assert verdict.startswith("4 of 16 tenants failed or are unknown (25%")
    assert "- yv: ingest:" in verdict


@pytest.mark.parametrize("store", [MemoryStore(), make_fleet()])
def test_a_run_in_which_nothing_was_due_passes(store):
    assert check_fleet("another-run", store, 0.0) == "Nothing was due."


def test_what_the_check_took_is_told_to_the_bill():
    store = make_fleet()
    assert read_fleet(store, RUN).checking == 0.0
    with pytest.raises(FleetError):
        check_fleet(RUN, store, 0.2)
    assert 0.0 < read_fleet(store, RUN).checking <= process_seconds()


def test_checking_needs_no_pandas():
    code = "import sys, tenantry.stages.check_fleet; sys.exit('pandas' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
