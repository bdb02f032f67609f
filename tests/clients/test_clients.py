"""Clients that are not ours talk to a real server; `make clients-test` builds their environment."""

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from tenantry.store.folder import FolderStore
from tests.clients.install import clients_python
from tests.servers.serving import serving_running
from tests.unit.serving.served import PRODUCT, publish

pytestmark = pytest.mark.skipif(
    not clients_python().exists(), reason="make clients-test builds the clients"
)

EXPECTED = [0.18242552380635635, 0.8175744761936437]
SPEAK = Path(__file__).with_name("speak.py")


def test_kserves_and_tritons_clients_are_answered(tmp_path):
    publish(FolderStore(tmp_path / "store"))
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{hashlib.sha256(b'secret').hexdigest()} {PRODUCT}.ua\n")
    store = (tmp_path / "store").as_uri()
    with serving_running(store, tmp_path, "--tokens", str(tokens)) as server:
        command = [str(clients_python()), str(SPEAK), server.url, f"{PRODUCT}.ua", "secret"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    for client in told.values():
        assert (client["live"], client["ready"], client["model ready"]) == (True, True, True)
    assert told["triton"]["inputs"] == ["at", "distance", "origin"]
    assert told["triton"]["decisions"] == [False, True]
    for answers in (*(told["kserve"][way] for way in ("v1", "v2")),
                    *(told["triton"][way] for way in ("binary", "json"))):  # fmt: skip
        assert answers == pytest.approx(EXPECTED, abs=1e-12)
