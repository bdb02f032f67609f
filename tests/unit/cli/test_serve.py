"""`tenantry serve`: what it needs to start, and a process that starts, answers and stops."""

import json
import signal
import time
import urllib.request

import pytest
from typer.testing import CliRunner

from tenantry.cli import serve as command
from tenantry.cli.app import app
from tenantry.errors import SettingsError
from tenantry.store.folder import FolderStore
from tests.servers.serving import serving_running
from tests.unit.serving.served import PRODUCT, publish, v2

ROW = {"distance": 500.0, "origin": "JFK", "at": "2013-10-02T10:00:00Z"}


def test_without_tokens_it_listens_on_loopback_only():
    for host in ("0.0.0.0", "example.com", "::"):
        with pytest.raises(SettingsError, match="name a file of --tokens"):
            CliRunner().invoke(app, ["serve", "--host", host], catch_exceptions=False)


def test_what_is_not_installed_is_named_with_what_to_do(monkeypatch):
    monkeypatch.setattr(command, "_EXTRA", ("uvicorn", "not_there"))
    with pytest.raises(SettingsError, match=r"not_there.*pip install 'tenantry\[serve\]'"):
        CliRunner().invoke(app, ["serve"], catch_exceptions=False)


def test_a_process_answers_and_ends_without_dropping_a_request(tmp_path):
    publish(FolderStore(tmp_path / "store"))
    store = (tmp_path / "store").as_uri()
    with serving_running(store, tmp_path, "--drain", "0.5", log=True) as server:
        assert server.url.startswith("http://127.0.0.1:")
        body = json.dumps(v2(ROW)).encode()
        infer = f"{server.url}/v2/models/{PRODUCT}.ua/infer"
        with urllib.request.urlopen(infer, body) as answer:
            assert json.load(answer)["model_version"] == "v1"
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        with urllib.request.urlopen(infer, body) as answer:  # it drains: not ready, still there
            assert answer.status == 200
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"{server.url}/v2/health/ready")
        log, _ = server.process.communicate(timeout=30)
        assert server.process.returncode == 0
    assert [json.loads(line)["status"] for line in log.splitlines()] == [200, 200]
