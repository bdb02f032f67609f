"""``tenantry serve``: predictions for every tenant, from one process."""

import hashlib
import importlib.util
import ipaddress
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli.options import RegionName
from tenantry.errors import Fault, SettingsError
from tenantry.settings import load_settings

if TYPE_CHECKING:
    from tenantry.serving.app import ServerOptions
    from tenantry.serving.server import Listening

_EXTRA = ("starlette", "uvicorn", "httptools", "uvloop", "orjson")

_server = partial(typer.Option, rich_help_panel="Where it listens")
_limit = partial(typer.Option, rich_help_panel="What clients may ask for")
_file = partial(typer.Option, rich_help_panel="What it keeps and tells")


Host = Annotated[str, _server(help="Address to listen on; others than loopback need --tokens.")]
Port = Annotated[int, _server(min=0, max=65535)]
Tokens = Annotated[
    Path | None,
    _server(
        help="File of tokens: lines of <sha256> and <product>.<tenant>, <product>, metrics or *."
        " Read again when it changes. Without it anybody on this machine may ask."
    ),
]
Connections = Annotated[
    int,
    _server(min=1, help="Connections held at a time; on further ones only probes are answered."),
]
Drain = Annotated[
    float, _server(min=0, help="Seconds it still answers after SIGTERM, as not ready.")
]
Products = Annotated[
    list[str] | None,
    typer.Option(
        help="Serve this product only. Can be repeated. Default: all in the store. It is not ready"
        " before each of them is published."
    ),
]
Rate = Annotated[float, _limit(min=0.01, help="Rows a second of one tenant.")]
Burst = Annotated[float, _limit(min=1, help="Rows that a tenant may save up.")]
Concurrency = Annotated[int, _limit(min=1, help="Requests of one tenant at a time.")]
Queue = Annotated[int, _limit(min=1, help="Requests of all at a time.")]
MaxRows = Annotated[int, _limit(min=1, help="Rows of a request.")]
MaxBody = Annotated[int, _limit(min=1024, help="Bytes of a request.")]
Timeout = Annotated[float, _limit(min=0.1, help="Seconds for a body to come, or a model to load.")]
Memory = Annotated[
    int, _file(min=1, help="MiB of loaded models; the least recently used go first.")
]
Cache = Annotated[
    Path | None,
    _file(
        help="Folder that keeps what was read, for a restart without the store. Default: below"
        " $XDG_CACHE_HOME or ~/.cache."
    ),
]
CacheSize = Annotated[
    int, _file(min=1, help="MiB of models in that folder; the least recently used go first.")
]
Poll = Annotated[
    float, _file(min=0.1, help="Seconds between two looks for promotions and rollbacks.")
]
AccessLogged = Annotated[bool, _file(help="One line of JSON a request on standard output.")]
LogEvery = Annotated[
    float,
    _file(
        min=1,
        help="Seconds between two writings of the prediction log, where specs say serving.log.",
    ),
]


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    tokens: Tokens = None,
    connections: Connections = 1000,
    drain: Drain = 5.0,
    product: Products = None,
    rate: Rate = 200.0,
    burst: Burst = 400.0,
    concurrency: Concurrency = 32,
    queue: Queue = 512,
    max_rows: MaxRows = 1000,
    max_body: MaxBody = 1 << 20,
    timeout: Timeout = 5.0,
    memory: Memory = 256,
    cache: Cache = None,
    cache_size: CacheSize = 2048,
    poll: Poll = 2.0,
    access_log: AccessLogged = True,
    log_every: LogEvery = 900.0,
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
    from tenantry.serving.app import ServerOptions
    from tenantry.serving.limits import Limits
    from tenantry.serving.pool import Room
    from tenantry.serving.server import Listening

    options = ServerOptions(
        products=tuple(product or ()),
        cache=cache,
        cache_bytes=cache_size << 20,
        limits=Limits(rate, burst, concurrency, queue, max_body, max_rows, timeout),
        room=Room(bytes=memory << 20),
        tokens=tokens,
        poll_seconds=poll,
        access_log=sys.stdout.buffer if access_log else None,
        log_seconds=log_every,
    )
    _run(options, Listening(host, port, connections, drain), region)


def _run(options: "ServerOptions", listening: "Listening", region: str) -> None:
    """Serve a region's store; its cache is by default below the settings' folder."""
    from tenantry.log import configure_logging
    from tenantry.serving.app import Serving
    from tenantry.serving.online import prepare
    from tenantry.serving.server import run_server
    from tenantry.store.open import find_address, impatient, open_store

    settings = load_settings()
    configure_logging()
    cache = options.cache or settings.cache / _named(find_address(settings, region))
    store = impatient(open_store(settings, region))
    run_server(Serving(store, prepare, replace(options, cache=cache)), listening)


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
