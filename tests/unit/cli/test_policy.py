import json

import pytest
from typer.testing import CliRunner

from tenantry.cli.app import app
from tenantry.isolation.grants import tenant_grant
from tenantry.isolation.policies import (
    logging_server_policy,
    publisher_policy,
    run_policy,
    server_policy,
    session_policy,
)


def call(monkeypatch, tmp_path, *arguments, store="s3+https://h/bucket/top"):
    monkeypatch.setenv("TENANTRY_STORE", store)
    monkeypatch.setenv("TENANTRY_SPECS", str(tmp_path))
    return CliRunner().invoke(app, ["policy", *arguments])


@pytest.mark.parametrize(
    ("named", "made"),
    [
        ((), run_policy),
        (("sync",), publisher_policy),
        (("serve",), server_policy),
        (("serve-log",), logging_server_policy),
    ],
)
def test_prints_what_run_sync_and_servers_may_do(monkeypatch, tmp_path, named, made):
    done = call(monkeypatch, tmp_path, *named)
    assert json.loads(done.output) == json.loads(made("bucket", "top/"))


def test_prints_what_a_tenants_workers_get(monkeypatch, tmp_path):
    done = call(monkeypatch, tmp_path, "p/a")
    expected = session_policy(tenant_grant("p", "a"), "bucket", "top/")
    assert json.loads(done.output) == json.loads(expected)


def test_a_folder_has_no_policies(monkeypatch, tmp_path):
    done = call(monkeypatch, tmp_path, store=tmp_path.as_uri())
    assert "which has no policies" in str(done.exception)
