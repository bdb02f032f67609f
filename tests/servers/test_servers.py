"""The test servers themselves: how they are found, built and refused."""

import os
import subprocess
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.servers.chromium import find_chromium, install_chromium
from tests.servers.minio import VERSION, build_command, cache_folder, find_go, install_minio
from tests.servers.postgres import find_binaries, install_commands, install_postgres
from tests.servers.processes import Server
from tests.servers.proxy import Fault

FAKE_GO = """#!/bin/sh
[ "$1 $2" = "install github.com/minio/minio@{version}" ] || exit 3
echo built >>"{log}"
printf '#!/bin/sh\\n' >"$GOBIN/minio"
"""


def _install_go(folder: Path, monkeypatch, script: str) -> None:
    folder.mkdir()
    (folder / "go").write_text(script)
    (folder / "go").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)


def test_minio_is_built_once(tmp_path, monkeypatch):
    log = tmp_path / "log"
    _install_go(tmp_path / "go", monkeypatch, FAKE_GO.format(version=VERSION, log=log))
    binary = install_minio(tmp_path / "cache/bin")
    assert install_minio(tmp_path / "cache/bin") == binary
    assert binary.read_text() == "#!/bin/sh\n"
    assert log.read_text() == "built\n"
    assert sorted(path.name for path in binary.parent.iterdir()) == [binary.name, "minio.lock"]


def test_a_build_that_fails_says_why_and_leaves_nothing(tmp_path, monkeypatch):
    _install_go(tmp_path / "go", monkeypatch, "#!/bin/sh\necho no network >&2\nexit 1\n")
    with pytest.raises(RuntimeError, match=r"go.*install.*failed:\nno network"):
        install_minio(tmp_path / "cache/bin")
    assert [path.name for path in (tmp_path / "cache/bin").iterdir()] == ["minio.lock"]


def test_go_that_is_missing_is_told_with_the_remedy():
    with pytest.raises(RuntimeError, match=r"install Go 1\.24 or later"):
        find_go(["no-such-go", "/no/such/go"])


def test_the_build_is_for_this_machine(monkeypatch, tmp_path):
    monkeypatch.setenv("GOOS", "plan9")
    monkeypatch.setenv("GOARCH", "arm")
    command, env = build_command("go", tmp_path)
    assert command == ["go", "install", f"github.com/minio/minio@{VERSION}"]
    assert env["GOBIN"] == str(tmp_path)
    assert not {"GOOS", "GOARCH"} & env.keys()


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"XDG_CACHE_HOME": "/cache", "HOME": "/home/me"}, "/cache/tenantry"),
        ({"XDG_CACHE_HOME": "", "HOME": "/home/me"}, "/home/me/.cache/tenantry"),
    ],
)
def test_the_cache_is_where_caches_are(environ, folder):
    assert cache_folder(environ) == Path(folder)


def test_postgres_that_is_missing_is_told_with_the_remedy(tmp_path):
    for call in (
        lambda: find_binaries(tmp_path),
        lambda: install_postgres(tmp_path, is_root=False),
    ):
        with pytest.raises(RuntimeError, match=r"PostgreSQL 15 is missing .*make test-servers"):
            call()


def test_postgres_is_installed_without_a_service_of_its_own(tmp_path):
    conf = tmp_path / "etc/createcluster.conf"
    write, update, install = install_commands(conf)
    subprocess.run(write, check=True)
    assert conf.read_text() == "create_main_cluster = false\n"
    assert install_commands(conf) == [update, install]
    assert install[-1] == "postgresql-15"


def test_a_browser_that_is_missing_is_told_with_the_remedy():
    nowhere = ("no-such-browser",)
    for call in (
        lambda: find_chromium(nowhere),
        lambda: install_chromium(nowhere, is_root=False),
    ):
        with pytest.raises(RuntimeError, match=r"Chromium is missing; run `make test-servers`"):
            call()


def test_postgres_answers(postgres_url):
    engine = create_engine(postgres_url)
    with engine.connect() as connection:
        version = connection.execute(text("show server_version")).scalar_one()
    engine.dispose()
    assert version.startswith("15.")


def test_a_server_that_ends_is_told_with_what_it_said(tmp_path):
    command = ["sh", "-c", "echo no such disk; exit 7"]
    with (
        pytest.raises(RuntimeError, match=r"ended with 7; the end of .*:\nno such disk"),
        Server(command, is_ready=lambda: False, log=tmp_path / "log", env=dict(os.environ)),
    ):
        pass


def _ask(endpoint: str, method: str = "GET", path: str = "/minio/health/live"):
    connection = HTTPConnection(endpoint, timeout=10)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_proxy_passes_what_no_fault_concerns(fault_proxy):
    fault_proxy.fail(Fault(method="PUT", drop="before"))
    fault_proxy.fail(Fault(path="/other", drop="before"))
    assert _ask(fault_proxy.endpoint)[0] == 200
    assert fault_proxy.seen == [("GET", "/minio/health/live")]


def test_the_proxy_fails_as_often_as_told(fault_proxy):
    fault_proxy.fail(Fault(status=418, body=b"<no/>", times=2))
    answers = [_ask(fault_proxy.endpoint) for _ in range(3)]
    assert answers[:2] == [(418, b"<no/>")] * 2
    assert answers[2][0] == 200


@pytest.mark.parametrize("drop", ["before", "after"])
def test_the_proxy_drops(fault_proxy, drop):
    fault_proxy.fail(Fault(drop=drop))
    with pytest.raises(ConnectionError):
        _ask(fault_proxy.endpoint)


def test_the_proxy_cuts(fault_proxy):
    fault_proxy.fail(Fault(truncate=10))
    with pytest.raises(IncompleteRead):
        _ask(fault_proxy.endpoint, path="/no-such-bucket/x")
