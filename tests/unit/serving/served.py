"""Tenants in a store as runs publish them, and a server over them, asked without a socket."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps

import httptools
import numpy as np
import orjson
from uvicorn.server import ServerState

from tenantry import layout
from tenantry.digests import sha256
from tenantry.errors import Fault, FieldsError, StoreUnavailableError
from tenantry.models.card import PooledPart
from tenantry.packed.columns import Lookup
from tenantry.packed.file import write_model, write_part
from tenantry.packed.linear import PackedLinear
from tenantry.packed.model import PackedModel
from tenantry.serving.app import ServerOptions, Serving
from tenantry.serving.entries import Entry
from tenantry.serving.index import remove_entries, write_entries
from tenantry.serving.records import ModelFile, ServingRecord, write_record
from tenantry.serving.server import Listening, _Server
from tenantry.specs.data import Column, KnownAt, Times
from tenantry.specs.features import CategoricalFeature, NumericFeature
from tests.unit.memory_store import MemoryStore

PRODUCT = "arrival-delay"
START = datetime(2013, 10, 1, tzinfo=UTC)
ROW = {"distance": 500.0, "origin": "JFK", "at": "2013-10-02T10:00:00Z"}


def linear(intercept):
    """A linear model of one number and one category."""
    lookup = Lookup("origin", {"JFK": 0.5, "LGA": -0.5}, 0.0)
    mean, scale = np.array([700.0]), np.array([100.0])
    return PackedLinear(
        intercept=intercept,
        names=("distance",),
        fill=mean,
        mean=mean,
        scale=scale,
        coefficients=np.ones(1),
        lookups=(lookup,),
        centre=np.zeros(2),
    )


def make_record(tenant="ua", version="v1", **fields):
    """A serving record of a model with two features."""
    about = {
        "product": PRODUCT,
        "tenant": tenant,
        "model": ModelFile(version=version, skops="0" * 64),
        "trained_until": START,
        "recipe": "logistic",
        "task": "classification",
        "parts": "own",
        "threshold": 0.5,
        "label": "late",
        "key": ("at",),
        "times": Times(
            event_time="at", known_at=KnownAt(lead="0m"), label_known_at=KnownAt(delay="1h")
        ),
        "columns": {
            "distance": Column(type="number"),
            "origin": Column(type="category", required=True),
            "at": Column(type="time", required=True),
        },
        "features": {
            "distance": NumericFeature(kind="numeric"),
            "origin": CategoricalFeature(kind="categorical"),
        },
        "own": ("distance", "origin"),
        "back": "7d",
    }
    return ServingRecord(**(about | fields))


def publish(store, tenant="ua", version="v1", *, counter=1, intercept=0.0, pooled=None, **fields):
    """Leave in a store what a promotion of a model leaves."""
    if pooled is None:
        model = PackedModel("own", "classification", own=linear(intercept))
    else:
        model = PackedModel("pooled", "classification", pooled=linear(0.0), intercept=intercept)
    content = write_model(model, pooled)
    store.put(f"{layout.model_folder(PRODUCT, tenant, version)}packed.bin", content)
    file = ModelFile(version=version, skops="0" * 64, packed=sha256(content))
    record = make_record(tenant, version, **({"model": file} | fields))
    entry = Entry(
        version=version,
        record=write_record(store, record),
        spec="s",
        published=START,
        as_of=START,
        counter=counter,
    )
    write_entries(store, PRODUCT, {tenant: entry})
    return entry


def publish_pooled(store, version="p1"):
    """Leave a pooled model; return where it is."""
    content = write_part(linear(1.0))
    store.put(f"{layout.pooled_folder(PRODUCT, 'us', version)}packed.bin", content)
    return PooledPart(zone="us", version=version, digest=sha256(content))


def withdraw(store, tenant):
    """Take a tenant out of the index, as an erasure does."""
    remove_entries(store, PRODUCT, [tenant])


def prepare(record, online):
    """Stands for the features of `serving.online`: the raw fields as they are."""

    def features(raw, at):
        faults = [Fault(name, "not a field of this product") for name in raw if name not in ROW]
        if not isinstance(raw.get("distance"), float | int | None):
            faults.append(Fault("distance", "not a number"))
        if faults:
            raise FieldsError(faults)
        row = {"distance": raw.get("distance"), "origin": raw.get("origin")}
        return row, row

    return features


class FlakyStore(MemoryStore):
    """A store in memory that can be stopped."""

    def __init__(self):
        super().__init__()
        self.is_down = False

    def get(self, key):
        self._check()
        return super().get(key)

    def list(self, prefix):
        self._check()
        return super().list(prefix)

    def list_folders(self, prefix):
        self._check()
        return super().list_folders(prefix)

    def _check(self):
        if self.is_down:
            msg = "http://secret-host:9000/bucket does not answer"
            raise StoreUnavailableError(msg)


@dataclass
class Answer:
    """What a server answered."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return orjson.loads(self.body)


class Wire(asyncio.Transport):
    """A connection without a socket: what is sent reaches the server, what it writes is kept."""

    def __init__(self, serving, *, connections=1000, state=None):
        super().__init__()
        config = _Server(serving, Listening(connections=connections)).config
        config.load()
        state = state or ServerState()
        self.connection = config.http_protocol_class(
            config=config, server_state=state, app_state={}
        )
        self.answers = asyncio.Queue()
        self.is_closed = False
        self._parser = httptools.HttpResponseParser(self)
        self.connection.connection_made(self)

    def send(self, method, path, body=b"", **headers):
        """Send a request."""
        named = {"host": "x", "content-length": str(len(body))}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        self.connection.data_received(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)

    async def receive(self):
        """Return the next answer."""
        async with asyncio.timeout(10):
            return await self.answers.get()

    def is_closing(self):
        return self.is_closed

    def close(self):
        self.is_closed = True

    def pause_reading(self):
        pass

    resume_reading = pause_reading

    def write(self, data):
        self._parser.feed_data(data)

    def on_message_begin(self):
        self._headers, self._body = {}, b""

    def on_header(self, name, value):
        self._headers[name.decode()] = value.decode()

    def on_body(self, body):
        self._body += body

    def on_message_complete(self):
        answer = Answer(self._parser.get_status_code(), self._headers, self._body)
        if answer.status >= 200:
            self.answers.put_nowait(answer)


@dataclass
class Client:
    """Asks a server without a socket."""

    serving: Serving
    headers: dict = field(default_factory=dict)

    async def ask(self, method, path, body=None, *, parts=(), hangs=False, **headers):
        """Ask over a connection; by ASGI where parts of the body come in messages of their own."""
        content = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        if parts or hangs:
            messages = [*parts] if hangs else [*parts, {"type": "http.request", "body": content}]
            return await self.ask_asgi(method, path, messages, **headers)
        wire = Wire(self.serving)
        wire.send(method, path, content, **(self.headers | headers))
        answer = await wire.receive()
        wire.connection.connection_lost(None)
        return answer

    async def ask_asgi(self, method, path, messages, **headers):
        """Ask by the messages of ASGI."""
        sent, messages = [], [*messages]
        named = {name.replace("_", "-"): value for name, value in (self.headers | headers).items()}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }

        async def receive():
            if not messages:
                await asyncio.sleep(3600)
            return messages.pop(0)

        async def send(message):
            sent.append(message)

        await self.serving(scope, receive, send)
        start, *rest = sent
        told = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], told, b"".join(one.get("body", b"") for one in rest))

    async def infer(self, tenant="ua", row=ROW, **headers):
        return await self.ask("POST", f"/v2/models/{PRODUCT}.{tenant}/infer", v2(row), **headers)

    async def predict(self, tenant="ua", rows=(ROW,), **headers):
        body = {"instances": [*rows]}
        return await self.ask("POST", f"/v1/models/{PRODUCT}.{tenant}:predict", body, **headers)


def v2(row):
    """A row as an inference request."""
    kinds = {str: "BYTES", bool: "BOOL", int: "INT64"}
    return {
        "id": "r1",
        "inputs": [
            {
                "name": name,
                "shape": [1, 1],
                "datatype": kinds.get(type(value), "FP64"),
                "data": [value],
            }
            for name, value in row.items()
        ],
    }


def served(test):
    """Run an asynchronous test."""

    @wraps(test)
    def run(*arguments, **named):
        asyncio.run(test(*arguments, **named))

    return run


@asynccontextmanager
async def serving(store, **options):
    """A server over a store, that polls when it is told to."""
    options = ServerOptions(**({"poll_seconds": 3600.0} | options))
    made = Serving(store, prepare, options)
    async with made.running():
        yield Client(made)
