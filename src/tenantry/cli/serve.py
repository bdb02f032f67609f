"""``tenantry serve``: predictions for every tenant, from one process."""

import hashlib
import importlib.util
import ipaddress
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tenantry.cli.options import RegionName
from tenantry.errors import Fault, SettingsError
from tenantry.settings import load_settings

_EXTRA = ("starlette", "uvicorn", "httptools", "uvloop", "orjson")

_server = partial(typer.Option, rich_help_panel="Where it listens")
_limit = partial(typer.Option, rich_help_panel="What clients may ask for")
_file = partial(typer.Option, rich_help_panel="What it keeps and tells")


def serve(
    host: Annotated[
        str,
        _server(help="Address to listen on; others than loopback need --tokens."),
    ] = "127.0.0.1",
    port: Annotated[int, _server(min=0, max=65535)] = 8080,
    tokens: Annotated[
        Path | None,
        _server(
            help="File of tokens: lines of <sha256> and <product>.<tenant>, <product>, metrics or"
            " *. Read again when it changes. Without it anybody on this machine may ask."
        ),
    ] = None,
    connections: Annotated[int, _server(min=1, help="Connections held at a time.")] = 1000,
    drain: Annotated[
        float,
        _server(min=0, help="Seconds it still answers after SIGTERM, as not ready."),
    ] = 5.0,
    product: Annotated[
        list[str] | None,
        typer.Option(help="Serve this product only. Can be repeated. Default: all in the store."),
    ] = None,
    rate: Annotated[
        float,
        _limit(min=0.01, help="Rows a second of one tenant."),
    ] = 200.0,
    burst: Annotated[
        float,
        _limit(min=1, help="Rows that a tenant may save up."),
    ] = 400.0,
    concurrency: Annotated[
        int,
        _limit(min=1, help="Requests of one tenant at a time."),
    ] = 32,
    queue: Annotated[int, _limit(min=1, help="Requests of all at a time.")] = 512,
    max_rows: Annotated[int, _limit(min=1, help="Rows of a request.")] = 1000,
    max_body: Annotated[int, _limit(min=1024, help="Bytes of a request.")] = 1 << 20,
    timeout: Annotated[
        float,
        _limit(min=0.1, help="Seconds for a body to come, or a model to load."),
    ] = 5.0,
    memory: Annotated[
        int,
        _file(min=1, help="MiB of loaded models; the least recently used go first."),
    ] = 256,
    cache: Annotated[
        Path | None,
        _file(
            help="Folder that keeps what was read, for a restart without the store. Default: below"
            " $XDG_CACHE_HOME or ~/.cache."
        ),
    ] = None,
    cache_size: Annotated[
        int,
        _file(min=1, help="MiB of models in that folder; the least recently used go first."),
    ] = 2048,
    poll: Annotated[
        float,
        _file(min=0.1, help="Seconds between two looks for promotions and rollbacks."),
    ] = 2.0,
    access_log: Annotated[
        bool,
        _file(help="One line of JSON a request on standard output."),
    ] = True,
    log_every: Annotated[
        float,
        _file(
            min=1,
            help="Seconds between two writings of the prediction log, where specs say serving.log.",
        ),
    ] = 300.0,
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
        log_seconds=log_every,
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
