"""``tenantry serve``: predictions for every tenant, from one process."""

import hashlib
import importlib.util
import ipaddress
import sys
from pathlib import Path
from typing import Annotated

import typer

from tenantry.cli.options import RegionName
from tenantry.errors import Fault, SettingsError
from tenantry.settings import load_settings

_EXTRA = ("starlette", "uvicorn", "httptools", "uvloop", "orjson")
_SERVER, _LIMITS, _FILES = "Where it listens", "What clients may ask for", "What it keeps and tells"


def serve(
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on; others than loopback need --tokens.",
            rich_help_panel=_SERVER,
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, rich_help_panel=_SERVER)] = 8080,
    tokens: Annotated[
        Path | None,
        typer.Option(
            help="File of tokens: lines of <sha256> and <product>.<tenant>, <product>, metrics or"
            " *. Read again when it changes. Without it anybody on this machine may ask.",
            rich_help_panel=_SERVER,
        ),
    ] = None,
    connections: Annotated[
        int, typer.Option(min=1, help="Connections held at a time.", rich_help_panel=_SERVER)
    ] = 1000,
    drain: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds it still answers after SIGTERM, as not ready.",
            rich_help_panel=_SERVER,
        ),
    ] = 5.0,
    product: Annotated[
        list[str] | None,
        typer.Option(help="Serve this product only. Can be repeated. Default: all in the store."),
    ] = None,
    rate: Annotated[
        float,
        typer.Option(min=0.01, help="Rows a second of one tenant.", rich_help_panel=_LIMITS),
    ] = 200.0,
    burst: Annotated[
        float,
        typer.Option(min=1, help="Rows that a tenant may save up.", rich_help_panel=_LIMITS),
    ] = 400.0,
    concurrency: Annotated[
        int,
        typer.Option(min=1, help="Requests of one tenant at a time.", rich_help_panel=_LIMITS),
    ] = 32,
    queue: Annotated[
        int, typer.Option(min=1, help="Requests of all at a time.", rich_help_panel=_LIMITS)
    ] = 512,
    max_rows: Annotated[
        int, typer.Option(min=1, help="Rows of a request.", rich_help_panel=_LIMITS)
    ] = 1000,
    max_body: Annotated[
        int, typer.Option(min=1024, help="Bytes of a request.", rich_help_panel=_LIMITS)
    ] = 1 << 20,
    timeout: Annotated[
        float,
        typer.Option(
            min=0.1, help="Seconds for a body to come, or a model to load.", rich_help_panel=_LIMITS
        ),
    ] = 5.0,
    memory: Annotated[
        int,
        typer.Option(
            min=1,
            help="MiB of loaded models; the least recently used go first.",
            rich_help_panel=_FILES,
        ),
    ] = 256,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Folder that keeps what was read, for a restart without the store. Default: below"
            " $XDG_CACHE_HOME or ~/.cache.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    cache_size: Annotated[
        int,
        typer.Option(
            min=1,
            help="MiB of models in that folder; the least recently used go first.",
            rich_help_panel=_FILES,
        ),
    ] = 2048,
    poll: Annotated[
        float,
        typer.Option(
            min=0.1,
            help="Seconds between two looks for promotions and rollbacks.",
            rich_help_panel=_FILES,
        ),
    ] = 2.0,
    access_log: Annotated[
        bool,
        typer.Option(help="One line of JSON a request on standard output.", rich_help_panel=_FILES),
    ] = True,
    region: RegionName = "",
) -> None:
    """Serve predictions of every tenant's champion over HTTP.

    Speaks the Open Inference Protocol (/v2/models/PRODUCT.TENANT/infer) and KServe's v1
    (/v1/models/PRODUCT.TENANT:predict); /openapi.json has it all, /metrics is for Prometheus. A
    model is loaded when it is asked for first, and follows promotions and rollbacks by itself. It
    goes on while the store is down. One process uses one core: for more, run more.

    Try it: tenantry serve & curl localhost:8080/v2/models/arrival-delay.ua. All of it:
    docs/serving.md.

    Raises:
        SettingsError: Something is not installed, or the options contradict each other.
    """
    _check(host, tokens)
    from tenantry.log import configure_logging
    from tenantry.serving.app import ServerOptions, Serving
    from tenantry.serving.limits import Limits
    from tenantry.serving.online import prepare
    from tenantry.serving.pool import Room
    from tenantry.serving.server import Listening, run_server
    from tenantry.store.open import find_address, impatient, open_store

    settings = load_settings()
    configure_logging()
    options = ServerOptions(
        products=tuple(product or ()),
        cache=cache or settings.cache / _named(find_address(settings, region)),
        cache_bytes=cache_size << 20,
        limits=Limits(rate, burst, concurrency, queue, max_body, max_rows, timeout),
        room=Room(bytes=memory << 20),
        tokens=tokens,
        poll_seconds=poll,
        access_log=sys.stdout.buffer if access_log else None,
    )
    serving = Serving(impatient(open_store(settings, region)), prepare, options)
    run_server(serving, Listening(host, port, connections, drain))


def _check(host: str, tokens: Path | None) -> None:
    missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        fault = f"needs {', '.join(missing)}"
        raise SettingsError([Fault("serve", fault, "pip install 'tenantry[serve]'")])
    if tokens is None and not _is_loopback(host):
        fault = f"{host!r} can be reached from elsewhere, and anybody could ask"
        raise SettingsError([Fault("--host", fault, "name a file of --tokens")])


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _named(address: str) -> Path:
    """Return the part of the cache that is one store's."""
    return Path("serving") / hashlib.sha256(address.encode()).hexdigest()[:16]
