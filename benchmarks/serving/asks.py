"""Requests to the fleet of `benchmarks.serving.fleet`, and who asks them one by one."""

import asyncio
import json
import random
import time
from collections.abc import Sequence

from benchmarks.serving.fleet import PRODUCT, as_v2, name_of, request_rows
from benchmarks.serving.load import Ask, Opened, OpenLoad, zipf
from benchmarks.serving.processes import Measured

_ROWS = list(request_rows(50))


def zipf_asks(tenants: int) -> list[Ask]:
    """Return requests of tenants by Zipf's law; which tenant is asked often is drawn."""
    return [ask_of(number) for number in draw(tenants)]


def draw(tenants: int) -> list[int]:
    """Return 5,000 tenants by Zipf's law, the same each time."""
    random_ = random.Random(7)  # noqa: S311 - no secret
    drawn = random_.choices(range(tenants), weights=zipf(tenants), k=5000)
    return [number * 7 % tenants for number in drawn]


def ask_of(number: int) -> Ask:
    """Return a request of one row of raw fields to a tenant's model, in protocol v2."""
    return f"/v2/models/{PRODUCT}.{name_of(number)}/infer", body_of(number)


def body_of(number: int) -> bytes:
    """Return the body of a tenant's request."""
    return json.dumps(as_v2(_ROWS[number % len(_ROWS)]), separators=(",", ":")).encode()


def ask_openly(server: Measured, asks: Sequence[Ask], *, rate: float, seconds: float) -> Opened:
    """Ask at so many moments a second, whatever the answers do."""
    return asyncio.run(OpenLoad(server.port, asks, rate=rate).run(seconds))


def load_all(server: Measured, tenants: int) -> list[float]:
    """Ask every tenant once, one after another; return the seconds of each."""

    async def ask() -> list[float]:
        load, seconds = OpenLoad(server.port, [], rate=1.0), []
        for number in range(tenants):
            found, due = Opened(), time.perf_counter()
            await load.ask(ask_of(number), due, found)
            if found.failed:
                raise RuntimeError(server.log.read_text()[-2000:])
            seconds += found.seconds
        return seconds

    return asyncio.run(ask())


def version_of(server: Measured, number: int) -> str:
    """Return the version that answers for a tenant."""
    found = Opened()
    asyncio.run(OpenLoad(server.port, [], rate=1.0).ask(ask_of(number), time.perf_counter(), found))
    return next((json.loads(body)["model_version"] for body in found.bodies.values()), "")


def quantile(seconds: Sequence[float], share: float) -> float:
    """Return the milliseconds within which this share of requests was answered."""
    found = Opened()
    found.seconds = [*seconds]
    return found.quantile(share)
