"""Load: closed by wrk, open by a client that asks at fixed moments, whatever the answers do."""

import asyncio
import json
import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httptools

Ask = tuple[str, bytes]
"""A path and a body."""


def zipf(count: int, exponent: float = 1.0) -> list[float]:
    """Return how often each of `count` tenants is asked for, most first."""
    weights = [1 / (rank + 1) ** exponent for rank in range(count)]
    total = sum(weights)
    return [weight / total for weight in weights]


@dataclass(frozen=True)
class Closed:
    """What wrk found at saturation.

    Attributes:
        requests: In all.
        rate: A second.
        p50: Milliseconds.
        p99: Milliseconds.
        failed: Answers other than 200, and requests without any.
    """

    requests: int
    rate: float
    p50: float
    p99: float
    failed: int


def run_wrk(port: int, asks: Sequence[Ask], *, seconds: int, connections: int, core: int) -> Closed:
    """Ask as fast as answers come, in the order given and from the start again."""
    script = Path("/tmp") / f"wrk-{port}.lua"  # noqa: S108 - removed below
    table = ",\n".join(
        json.dumps(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body.decode()}"
        )
        for path, body in asks
    )
    script.write_text(
        f"local asks = {{{table}}}\nlocal at = 0\n"
        "request = function() at = at % #asks + 1; return asks[at] end\n"
    )
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{connections}", f"-d{seconds}"]
    command += ["--latency", "--timeout", "10s", "-s", str(script), f"http://127.0.0.1:{port}"]
    told = subprocess.run(  # noqa: S603 - our own command
        command, check=True, capture_output=True, text=True
    ).stdout
    script.unlink()
    errors = re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", told)
    return Closed(
        requests=int(_found(r"(\d+) requests in", told)),
        rate=float(_found(r"Requests/sec:\s+([\d.]+)", told)),
        p50=_milliseconds(_found(r"\n\s+50%\s+(\S+)", told)),
        p99=_milliseconds(_found(r"\n\s+99%\s+(\S+)", told)),
        failed=sum(map(int, errors)),
    )


def _found(pattern: str, text: str) -> str:
    matched = re.search(pattern, text)
    if matched is None:
        raise RuntimeError(text)
    return matched[1]


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}[unit]


@dataclass
class Opened:
    """What an open load found.

    Attributes:
        seconds: From the moment a request was due to its answer, in order of asking.
        statuses: Status → answers; 0 for none.
        bodies: The last body for each path.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    bodies: dict[str, bytes] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """Answers other than 200, and requests without any."""
        return sum(count for status, count in self.statuses.items() if status != 200)

    def quantile(self, share: float) -> float:
        """Return the milliseconds within which this share was answered."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


class OpenLoad:
    """Asks `rate` times a second over connections that stay open."""

    def __init__(self, port: int, asks: Sequence[Ask], *, rate: float, seed: int = 1) -> None:
        self._port = port
        self._asks = asks
        self._rate = rate
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._idle: list[_Connection] = []

    async def run(self, seconds: float, each: Callable[[str, bytes], None] | None = None) -> Opened:
        """Ask for so long, at moments of a Poisson process; `each` is told every answer."""
        found, tasks = Opened(), set()
        start = due = time.perf_counter()
        number = 0
        while due < start + seconds:
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            ask = self._asks[number % len(self._asks)]
            task = asyncio.create_task(self.ask(ask, due, found, each))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            number += 1
            due += self._random.expovariate(self._rate)
        if tasks:
            await asyncio.wait(tasks, timeout=10)
        return found

    async def ask(
        self,
        ask: Ask,
        due: float,
        found: Opened,
        each: Callable[[str, bytes], None] | None = None,
    ) -> None:
        """Ask once, and put into `found` what came of it."""
        connection = self._idle.pop() if self._idle else _Connection()
        try:
            status, body = await connection.ask(self._port, *ask)
        except OSError:
            found.statuses[0] += 1
            return
        self._idle.append(connection)
        found.seconds.append(time.perf_counter() - due)
        found.statuses[status] += 1
        found.bodies[ask[0]] = body
        if each is not None:
            each(ask[0], body)


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[tuple[int, bytes]] | None = None

    async def ask(self, port: int, path: str, body: bytes) -> tuple[int, bytes]:
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            await loop.create_connection(lambda: self, "127.0.0.1", port)
        self._parser = httptools.HttpResponseParser(self)
        self._body = b""
        self._waiter = loop.create_future()
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        if self._transport is None:
            raise ConnectionResetError
        self._transport.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return await self._waiter

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment] # of TCP

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(exc or ConnectionResetError())

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result((self._parser.get_status_code(), self._body))
