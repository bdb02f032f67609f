"""Messages to a webhook, in the JSON that Slack and those who copy it read.

The address is a secret: who knows it can write there. It comes from the environment through a named
connection and stands in no message, log or error.
"""

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from tenantry.errors import Fault, SettingsError, WebhookError, WebhookUnavailableError
from tenantry.settings import Settings
from tenantry.sources.connections import load_connections
from tenantry.transient import retry_transient

_SECONDS = 10.0
"""How long an answer is waited for."""

_BUSY = (408, 425, 429)


@dataclass(frozen=True)
class Parcel:
    """What is sent where.

    Attributes:
        address: Where, http or https; shown nowhere.
        content: What.
        headers: Of the request.
        method: Of the request.
        to: What the receiver is called.
    """

    address: str = field(repr=False)
    content: bytes = field(repr=False)
    headers: Mapping[str, str]
    method: str = "POST"
    to: str = "webhook"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nowhere: a redirected POST would become a GET, and take the message elsewhere."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401 - urllib's own
        """Refuse."""


def find_address(settings: Settings, variable: str = "TENANTRY_WEBHOOK") -> str:
    """Return the address that a setting names by its connection; it is a secret.

    Args:
        settings: The settings.
        variable: `TENANTRY_WEBHOOK` or `TENANTRY_PUSHGATEWAY`.

    Raises:
        SettingsError: There is no such connection, or it is no http(s) address.
        SourceError: A variable that it needs is not set.
        SpecError: The connections file is missing or wrong.
    """
    name = settings.webhook if variable == "TENANTRY_WEBHOOK" else settings.pushgateway
    connections = load_connections(settings.connections, settings.environ)
    connection = connections.find(name, f"{variable} {name!r}")
    if not _is_web(connection.url):
        fault = f"the connection {name!r} is no http or https address"
        raise SettingsError([Fault(variable, fault, "write `url: '${NAME}'` and set NAME")])
    return connection.url


def _is_web(address: str) -> bool:
    try:
        return urlsplit(address).scheme in ("http", "https")
    except ValueError:  # its words may quote the address
        return False


def post(address: str, message: Mapping[str, Any], *, first_wait: float = 0.5) -> None:
    """Send a message; what may pass is tried again.

    Args:
        address: Where, http or https; shown nowhere.
        message: What, any JSON.
        first_wait: Before the second try, seconds.

    Raises:
        WebhookError: The receiver refused it.
        WebhookUnavailableError: It did not answer, or is busy or out of order.
    """
    headers = {"Content-Type": "application/json"}
    send(Parcel(address, json.dumps(message).encode(), headers), first_wait=first_wait)


def send(parcel: Parcel, *, first_wait: float = 0.5) -> None:
    """Send anything; raises what `post` does."""
    retry_transient(first_wait=first_wait)(_send, parcel)


def _send(parcel: Parcel) -> None:
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        request = urllib.request.Request(  # noqa: S310 - `find_address` lets http(s) pass only
            parcel.address, data=parcel.content, headers=dict(parcel.headers), method=parcel.method
        )
        with opener.open(request, timeout=_SECONDS) as answer:
            answer.read(1)
    except HTTPError as error:
        code = error.code
        error.close()
        if code >= 500 or code in _BUSY:
            msg = f"the {parcel.to} answered {code}"
            raise WebhookUnavailableError(msg) from None
        msg = f"the {parcel.to} answered {code}; check its address"
        raise WebhookError(msg) from None
    except (OSError, HTTPException) as error:  # the error's own words may quote the address
        msg = f"the {parcel.to} did not answer ({type(error).__name__})"
        raise WebhookUnavailableError(msg) from None
    except ValueError:
        msg = f"the {parcel.to}'s address is no address"
        raise WebhookError(msg) from None
