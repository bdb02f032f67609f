"""Connections come from one file; secrets come by name and show nowhere."""

import pickle

import pytest

from tenantry.errors import SourceError, SpecError
from tenantry.sources.connections import load_connections

SECRET = "s3cr3t-value"


def load(tmp_path, text, environ=None):
    path = tmp_path / "connections.yaml"
    path.write_text(text)
    return load_connections(path, environ or {})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("lake/north", "file://{base}/lake/north"),
        ("../lake", "file://{parent}/lake"),
        ("/data/north", "file:///data/north"),
        ("file:///data/north", "file:///data/north"),
        ("${ROOT}/north", "file:///mnt/north"),
        ("sqlite:///west.sqlite", "sqlite:///{base}/west.sqlite"),
        ("sqlite+pysqlite:////data/west.sqlite", "sqlite+pysqlite:////data/west.sqlite"),
        ("postgresql+psycopg://me@${HOST}/db", "postgresql+psycopg://me@db.example/db"),
    ],
)
def test_urls_are_resolved(tmp_path, url, expected):
    environ = {"ROOT": "/mnt", "HOST": "db.example"}
    found = load(tmp_path, f"connections: {{lake: {{url: '{url}'}}}}", environ)
    wanted = expected.format(base=tmp_path.resolve(), parent=tmp_path.resolve().parent)
    assert found.connections["lake"].url == wanted


def test_folders_with_odd_names_come_back(tmp_path):
    found = load(tmp_path, "connections: {lake: {url: 'a b/ü%20'}}")
    assert found.connections["lake"].folder == tmp_path / "a b" / "ü%20"


def test_secrets_show_in_no_text(tmp_path):
    text = "connections: {db: {url: 'postgresql://me:${PW}@host/db', secret: PW}}"
    found = load(tmp_path, text, {"PW": SECRET})
    assert found.connections["db"].password.get_secret_value() == SECRET
    for shown in (repr(found), str(found), repr(found.connections["db"])):
        assert SECRET not in shown
    assert pickle.loads(pickle.dumps(found)) == found


def test_an_unset_variable_is_a_fault_of_the_source_that_needs_it(tmp_path):
    text = "connections: {db: {url: '${A}://h/db', secret: B}, lake: {url: lake}}"
    found = load(tmp_path, text, {"UNUSED": SECRET})
    assert found.find("lake", "source x").folder == tmp_path / "lake"
    with pytest.raises(SourceError, match="source y: environment variable A, B is not set; set it"):
        found.find("db", "source y")


def test_an_unknown_connection_is_named(tmp_path):
    found = load(tmp_path, "connections: {lake: {url: lake}}")
    with pytest.raises(SourceError, match="source x: no connection 'sea'; add it"):
        found.find("sea", "source x")


def test_all_faults_are_told_at_once_without_values(tmp_path):
    text = f"""\
        conections: {{}}
        connections:
          a: {{uri: lake}}
          b: {{url: '', secret: '{SECRET}'}}
          c: {SECRET}
          d: {{url: [{SECRET}]}}
        """
    with pytest.raises(SpecError) as caught:
        load(tmp_path, text)
    told = [f"{fault.place}: {fault.fault}" for fault in caught.value.faults]
    assert told == [
        "connections.yaml: conections: there is no such field",
        "connections.yaml: connections.a.uri: there is no such field",
        "connections.yaml: connections.a.url: is missing",
        "connections.yaml: connections.b.secret: is not the name of an environment variable",
        "connections.yaml: connections.b.url: is empty",
        "connections.yaml: connections.c: is not what a connection has there",
        "connections.yaml: connections.d.url: is not text",
    ]
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "- a", "connections: []", "connections: {a: {url: b, url: c}}"]
)
def test_other_files_are_refused(tmp_path, text):
    with pytest.raises(SpecError, match=r"connections\.yaml"):
        load(tmp_path, text)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(SpecError, match=r"connections\.yaml: there is no such file"):
        load_connections(tmp_path / "connections.yaml", {})
