import logging

import pytest

from tenantry.errors import SettingsError, SourceError, WebhookError, WebhookUnavailableError
from tenantry.settings import load_settings
from tenantry.webhooks import find_address, post
from tests.servers.processes import free_port
from tests.servers.webhook import webhook_running


@pytest.fixture(scope="module")
def server():
    with webhook_running() as running:
        yield running


@pytest.fixture
def webhook(server):
    server.answers.clear()
    server.messages.clear()
    return server


def send(webhook, message=None):
    post(webhook.url, message or {"text": "hello"}, first_wait=0)


def test_a_message_arrives_as_json(webhook):
    send(webhook, {"text": "<ü>"})
    assert webhook.messages == [{"text": "<ü>"}]


def test_what_may_pass_is_tried_again(webhook):
    webhook.answers[:] = [503, 429, 500]
    send(webhook)
    assert len(webhook.messages) == 4


def test_a_receiver_that_stays_out_of_order_is_given_up(webhook):
    webhook.answers[:] = [500] * 9
    with pytest.raises(WebhookUnavailableError, match="the webhook answered 500"):
        send(webhook)
    assert len(webhook.messages) == 4


@pytest.mark.parametrize("status", [302, 403, 404, 410])
def test_a_refusal_is_not_tried_again_nor_followed(webhook, status):
    webhook.answers[:] = [status]
    with pytest.raises(WebhookError, match=f"answered {status}; check its address"):
        send(webhook)
    assert len(webhook.messages) == 1


@pytest.mark.parametrize("address", ["http://127.0.0.1:{}/secret-token", "http://[secret-token"])
def test_no_error_quotes_the_address(address, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(WebhookError) as caught:
        post(address.format(free_port()), {}, first_wait=0)
    error = caught.value
    assert error.__suppress_context__
    assert "secret-token" not in f"{error!r} {error} {caplog.text}"


def settings(tmp_path, url, **environ):
    file = tmp_path / "connections.yaml"
    file.write_text(f"connections:\n  people: {{url: '{url}'}}\n")
    environ = {"TENANTRY_CONNECTIONS": str(file), "TENANTRY_WEBHOOK": "people"} | environ
    return load_settings(environ)


def test_the_address_comes_from_the_environment(tmp_path):
    found = settings(tmp_path, "${HOOK}", HOOK="https://hooks.example/secret-token")
    assert find_address(found) == "https://hooks.example/secret-token"
    assert "secret-token" not in repr(found)


@pytest.mark.parametrize(
    ("url", "environ", "error", "words"),
    [
        ("${HOOK}", {}, SourceError, "environment variable HOOK is not set"),
        ("${HOOK}", {"HOOK": "file:///etc/passwd"}, SettingsError, "is no http or https address"),
        ("${HOOK}", {"HOOK": "http://[passwd"}, SettingsError, "is no http or https address"),
        ("${HOOK}", {"TENANTRY_WEBHOOK": "others", "HOOK": "x"}, SourceError, "no connection"),
    ],
)
def test_what_is_wrong_with_an_address_is_told_without_it(tmp_path, url, environ, error, words):
    with pytest.raises(error, match=words) as caught:
        find_address(settings(tmp_path, url, **environ))
    assert "passwd" not in str(caught.value)
