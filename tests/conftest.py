"""What all tests share."""

import gc
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from tools.make_demo_data import FORM, make_demo_data

pytest_plugins = ["tests.servers.fixtures"]

plain = settings(deadline=None, max_examples=40)  # a busy machine is no fault
settings.register_profile("tenantry", plain)
settings.register_profile("ci", plain, derandomize=True)  # a change fails for what it does
settings.register_profile("thorough", plain, max_examples=1000)  # --hypothesis-profile=thorough
settings.load_profile("ci" if os.environ.get("CI") else "tenantry")

MEMORY, ROOM_BYTES = Path("/dev/shm"), 4 << 30


def pytest_configure():
    """Keep temporary folders in memory where there is room: stores wait for the disk at writes."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_collection_finish():
    """Keep the collector off what lives as long as the session: modules, tests, libraries."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session")
def cache_folder():
    """A folder that outlives the test session."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tenantry"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def landing(cache_folder):
    """The demo's landing zones with all real flights, made once; never write to them."""
    folder = cache_folder / f"landing-{FORM}"
    make_demo_data(folder)
    return folder
