"""Who may ask for sessions, how they ask, and what they are told."""

from urllib.parse import parse_qs

import pytest

from tenantry.errors import StoreError, StoreUnavailableError
from tenantry.isolation.grants import Grant
from tenantry.store import sts
from tenantry.store.s3_client import BucketAddress
from tenantry.store.sts import Sessions, StsAddress
from tests.servers.scripted import said

ADDRESS = BucketAddress("host.invalid", "models", "who", "s3cr3t")
SESSION = (
    b'<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>'
    b"<Credentials><AccessKeyId>temp</AccessKeyId><SecretAccessKey>t3mp</SecretAccessKey>"
    b"<SessionToken>t0k3n</SessionToken></Credentials></AssumeRoleResult></AssumeRoleResponse>"
)


@pytest.fixture
def sessions(scripted_server, monkeypatch):
    monkeypatch.setattr(sts, "retry_transient", lambda: lambda call, *given: call(*given))
    return Sessions(ADDRESS, StsAddress(f"http://{scripted_server.endpoint}", "arn:role"))


def test_temporary_credentials_are_told_that_they_get_no_session():
    address = BucketAddress("host.invalid", "models", "who", "s3cr3t", session_token="t0k3n")
    sessions = Sessions(address, StsAddress("http://host.invalid"))
    with pytest.raises(StoreError, match=r"are temporary\).*TENANTRY_ISOLATION=shared") as caught:
        sessions.assume(Grant(), seconds=60)
    assert "s3cr3t" not in str(caught.value)
    assert "t0k3n" not in str(caught.value)


@pytest.mark.parametrize(("seconds", "lasts"), [(0, 900), (7200.5, 7200), (1e9, 43_200)])
def test_a_session_is_asked_for_and_read(scripted_server, sessions, seconds, lasts):
    asked = []
    scripted_server.reply = lambda head, body: asked.append(parse_qs(body)) or said(200, SESSION)
    found = sessions.assume(Grant(reads=("store/",)), seconds=seconds)
    assert (found.access_key, found.secret_key, found.session_token) == ("temp", "t3mp", "t0k3n")
    assert (found.endpoint, found.bucket) == (ADDRESS.endpoint, ADDRESS.bucket)
    assert asked[0][b"DurationSeconds"] == [str(lasts).encode()]
    assert asked[0][b"RoleArn"] == [b"arn:role"]
    assert b"models/store/" in asked[0][b"Policy"][0]
    assert "/us-east-1/sts/aws4_request" in scripted_server.heads[0]


REFUSED = {
    "403": said(403, b"<Error>secret</Error>"),
    "501": said(501),
    "no answer of its kind": said(200, b"<html>secret</html>"),
    "no answer of its kind ": said(200, SESSION[:-40]),
    "no answer of its kind  ": said(200, b'<?xml version="1.0" encoding="none"?>' + SESSION),
}


@pytest.mark.parametrize(("words", "answer"), REFUSED.items())
def test_a_refusal_names_the_remedy(scripted_server, sessions, words, answer):
    scripted_server.reply = lambda head, body: answer
    with pytest.raises(StoreError, match=f"AssumeRole: {words.strip()}.*tenantry policy") as caught:
        sessions.assume(Grant(), seconds=0)
    assert not caught.value.transient
    assert "secret" not in str(caught.value)


BUSY = {
    "503": said(503),
    "429": said(429),
    "400": said(400, b"<Error><Code>Throttling</Code></Error>", "Content-Type: text/xml"),
    "GOT_NOTHING": b"",
}


@pytest.mark.parametrize(("words", "answer"), BUSY.items())
def test_silence_passes(scripted_server, sessions, words, answer):
    scripted_server.reply = lambda head, body: answer
    with pytest.raises(StoreUnavailableError, match=rf"no proper answer \({words}\)") as caught:
        sessions.assume(Grant(), seconds=0)
    assert caught.value.transient
