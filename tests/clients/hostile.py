"""Asks a real server what nobody should: `make fuzz-serve`.

100,000 requests made of good ones by damage, over connections that stay open, and schemathesis on
the document that the server serves. None may be answered 500 or hang, and memory may not grow.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from benchmarks.serving.load import Opened, OpenLoad
from tenantry.store.folder import FolderStore
from tests.clients.install import fuzzer_python
from tests.servers.serving import ServingProcess, serving_running
from tests.unit.serving.served import PRODUCT, ROW, publish, v2

GROWTH = 10 << 20
"""Bytes that the server may hold more after all requests than after the first tenth."""

_PATHS = (
    f"/v2/models/{PRODUCT}.ua/infer",
    f"/v1/models/{PRODUCT}.ua:predict",
    f"/v1/models/{PRODUCT}.ua:explain",
    f"/v2/models/{PRODUCT}.ua/versions/v1/infer",
    f"/v2/models/{PRODUCT}.{'x' * 60}/infer",
)
_CHECKS = "not_a_server_error,response_schema_conformance,status_code_conformance"
_ODD = (
    None, True, False, -1, 0, 1, 2**31, 2**63, -(2**63), 1e308, -1e308, 1e-320, "", "x", "\x00",
    "\u202e", "9" * 400, "1e999", "NaN", "Infinity", "2013-10-02T10:00:00Z", "0001-01-01",
    "9999-12-31T23:59:59.999999+14:00", [], {}, [[]], [{}], {"a": 1}, ["x"], "FP64", "BYTES", "JFK",
)  # fmt: skip


def main() -> int:
    """Fuzz; return 1 where the server answered 500, hung or grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    wanted = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder:
        store = FolderStore(Path(folder) / "store")
        publish(store)
        options = ("--rate", "1e9", "--burst", "1e9", "--timeout", "2", "--no-access-log")
        with serving_running(store.url, Path(folder), *options) as server:
            is_sound = asyncio.run(_ask(server, wanted)) and _schemathesis(server)
            return int(not is_sound)


async def _ask(server: ServingProcess, wanted: int) -> bool:
    statuses: Counter[int] = Counter()
    port = int(server.url.rsplit(":", 1)[1])
    start, first = time.monotonic(), 0
    for turn in range(10):
        load, found = OpenLoad(port, [], rate=1.0), Opened()
        draw = random.Random(turn)  # no secret

        async def worker(load=load, found=found, draw=draw) -> None:
            for _ in range(wanted // 100):
                async with asyncio.timeout(10):
                    await load.ask((draw.choice(_PATHS), hostile_body(draw)), 0.0, found)

        await asyncio.gather(*(worker() for _ in range(10)))
        statuses += found.statuses
        first = first or server.resident
    grown = server.resident - first
    sys.stdout.write(
        f"{sum(statuses.values()):,} hostile requests in {time.monotonic() - start:.0f} s: "
        f"{dict(sorted(statuses.items()))}; memory {grown / 2**20:+.1f} MiB\n"
    )
    return not any(status >= 500 and status != 501 for status in statuses) and grown < GROWTH


def hostile_body(draw: random.Random) -> bytes:
    """Make a body by damaging a good one."""
    good = draw.choice((v2(ROW), {"instances": [ROW, dict(ROW)]}))
    return draw.choice(_DAMAGES)(json.loads(json.dumps(good)), draw)


def _values(content: Any, draw: random.Random) -> bytes:
    """Put odd values in odd places."""
    for _ in range(draw.randint(1, 4)):
        place = content
        while isinstance(place, dict | list) and place:
            key = draw.choice([*place] if isinstance(place, dict) else [*range(len(place))])
            if draw.random() < 0.3 or not isinstance(place[key], dict | list):
                place[key] = deepcopy(draw.choice(_ODD))
                break
            place = place[key]
    return json.dumps(content).encode()


def _bytes(content: Any, draw: random.Random) -> bytes:
    """Change single bytes, or cut."""
    text = bytearray(json.dumps(content).encode())
    for _ in range(draw.randint(1, 6)):
        text[draw.randrange(len(text))] = draw.randrange(256)
    return bytes(text[: draw.choice((len(text), draw.randrange(len(text))))])


def _large(content: Any, draw: random.Random) -> bytes:
    """Be deep, long or wide."""
    return draw.choice(_LARGE)


_LARGE = (
    b"[" * 100_000,
    b'{"inputs":' * 50_000,
    b" " * 500_000,
    json.dumps({"instances": [{f"f{n}": n for n in range(3000)}]}).encode(),
    json.dumps({"instances": [ROW] * 1500}).encode(),
    json.dumps({"instances": [ROW] * 50}).encode(),
    json.dumps({"inputs": v2(ROW)["inputs"] * 500}).encode(),
    b"x" * (1 << 20) + b"x",
)
_DAMAGES: tuple[Callable[..., bytes], ...] = (*[_values] * 24, *[_bytes] * 24, _large)


def _schemathesis(server: ServingProcess) -> bool:
    if not fuzzer_python().exists():
        sys.stdout.write("schemathesis: none; make fuzz-serve builds it\n")
        return True
    command = [str(fuzzer_python().with_name("st")), "run", f"{server.url}/openapi.json"]
    command += [
        "--checks",
        "not_a_server_error,response_schema_conformance,status_code_conformance",
    ]
    command += ["--max-examples", "200", "--workers", "1", "--generation-deterministic"]
    return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
