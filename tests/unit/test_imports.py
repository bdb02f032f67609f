import gc
import os
import subprocess
import sys

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
SERVING = ("cli.app", "packed.file", "serving.online", "serving.app")
HEAVY = (
    "pandas",
    "numpy",
    "sklearn",
    "scipy",
    "rich",
    "evidently",
    "sqlalchemy",
    "minio",
    "pycurl",
)


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


def imported(modules, names):
    """Import modules one after the other; return which of `names` had been by the end of each."""
    code = (
        "import importlib, sys\n"
        f"for module in {modules}:\n"
        "    importlib.import_module('tenantry.' + module)\n"
        f"    print(module, *set({names}) & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return {line.split()[0]: set(line.split()[1:]) for line in done.stdout.splitlines()}


def test_tasks_without_rows_import_nothing_heavy():
    assert imported(LIGHT, HEAVY) == {module: set() for module in LIGHT}


def test_what_is_not_purged_needs_no_client_of_minio():
    names = ("minio", "urllib3")
    assert imported(("store.minio",), names) == {"store.minio": set()}


def test_commands_begin_without_what_models_need():
    assert imported(("cli.app",), ("sklearn", "scipy", "skops", "jinja2")) == {"cli.app": set()}


def test_serving_imports_neither_pandas_nor_scikit_learn():
    names = ("pandas", "sklearn", "scipy", "pyarrow")
    assert imported(SERVING, names) == {module: set() for module in SERVING}


def test_predicting_by_packed_models_imports_no_scikit_learn():
    names = ("sklearn", "scipy", "skops", "shap")
    assert imported(("stages.predict",), names) == {"stages.predict": set()}


def test_what_comes_late_is_imported_early_but_only_of_what_is_there():
    code = (
        "import sys\n"
        "from tenantry.imports import import_late\n"
        "import_late()\n"
        "print('encodings.idna' in sys.modules, 'pandas' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["True", "False"]


def test_memory_that_arrow_does_not_fill_counts_against_no_limit():
    code = (
        "from tenantry.imports import limit_threads\n"
        "limit_threads()\n"
        "import pyarrow\n"
        "kept = pyarrow.allocate_buffer(1 << 20)\n"
        "status = open('/proc/self/status').read()\n"
        "print(int(status.split('VmData:')[1].split()[0]) >> 10)\n"
    )
    environ = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environ
    )
    assert int(done.stdout) < 512, "MiB"
