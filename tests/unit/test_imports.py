import gc
import subprocess
import sys

import pytest

from tenantry.imports import uncollected

LIGHT = (
    "tasks",
    "shard",
    "planner",
    "ledger",
    "stages.plan",
    "stages.report",
    "stages.check_fleet",
)
SERVING = ("cli.app", "packed.file", "serving.online")
HEAVY = ("pandas", "numpy", "sklearn", "scipy", "rich", "evidently", "sqlalchemy", "minio")


def test_nothing_is_collected_meanwhile_and_then_it_is_again():
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_collection_that_was_off_stays_off():
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("module", LIGHT)
def test_tasks_without_rows_import_nothing_heavy(module):
    code = f"import sys, tenantry.{module}; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert set(done.stdout.split()).isdisjoint(HEAVY)


@pytest.mark.parametrize("module", SERVING)
def test_serving_imports_neither_pandas_nor_scikit_learn(module):
    code = f"import sys, tenantry.{module}; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert set(done.stdout.split()).isdisjoint({"pandas", "sklearn", "scipy", "pyarrow"})
