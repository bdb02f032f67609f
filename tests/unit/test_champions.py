import subprocess
import sys

import pytest

from tenantry.champions import read_champion
from tests.unit.memory_store import MemoryStore


def test_nothing_was_ever_crowned():
    assert read_champion(MemoryStore(), "delay", "ua") is None


def test_a_broken_pointer_names_its_key():
    store = MemoryStore()
    store.put("tenants/delay/ua/champion.json", b'{"counter": 1, "reigns": []}')
    with pytest.raises(ValueError, match=r"tenants/delay/ua/champion\.json is not a Champion"):
        read_champion(store, "delay", "ua")


def test_reading_a_champion_needs_no_pandas_and_no_sklearn():
    code = (
        "import sys, tenantry.champions, tenantry.curves, tenantry.events, tenantry.predictions;"
        "print({'pandas', 'sklearn', 'numpy', 'pyarrow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
