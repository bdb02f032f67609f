"""Measure `tenantry serve`: `make bench-serve`, or PARTS="speed size swaps outage flood".

The server has one core, who asks it the other. Figures of a machine that does other work meanwhile
are told with its load; nothing here fails by being slow except against the targets.
"""

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from minio import Minio
from rich.console import Console
from rich.table import Table

from benchmarks.serving.fleet import PRODUCT, Fleet, as_v2, name_of, request_rows
from benchmarks.serving.load import Ask, Opened, OpenLoad, run_wrk, zipf
from benchmarks.serving.peers import KSERVE, MLSERVER, MODELS, kserve_command, mlserver_command
from benchmarks.serving.pipelines import make_rows
from benchmarks.serving.processes import OTHER, Measured, running
from tenantry.store.contract import ObjectStore
from tenantry.store.folder import FolderStore
from tenantry.store.minio import MinioStore
from tenantry.store.s3_client import BucketAddress
from tests.servers.minio import MinioServer, cache_folder, install_minio, minio_running

LOADED, REGISTERED = 1000, 10_000
SECONDS = 20
UNLIMITED = ("--rate", "1e9", "--burst", "1e9", "--queue", "100000")


def main() -> int:
    """Measure what is asked for; return 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--seconds", type=int, default=SECONDS)
    asked = parser.parse_args()
    report = Report()
    os.sched_setaffinity(0, {OTHER})
    with tempfile.TemporaryDirectory() as folder:
        for part in asked.parts or PARTS:
            PARTS[part](report, Path(folder) / part, asked.seconds)
    report.show()
    return int(bool(report.missed))


class Report:
    """What was found, beside what was wanted."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str]] = []
        self.missed = 0

    def tell(self, what: str, found: float, unit: str, *, at_most: float | None = None,
             at_least: float | None = None) -> None:  # fmt: skip
        """Add a figure."""
        is_missed = (at_most is not None and found > at_most) or (
            at_least is not None and found < at_least
        )
        self.missed += is_missed
        wanted = f"≤ {at_most:g}" if at_most is not None else ""
        wanted = f"≥ {at_least:g}" if at_least is not None else wanted
        self.rows.append((what, f"{found:,.4g} {unit}", f"{wanted}{' MISSED' * is_missed}"))
        sys.stderr.write(f"{what}: {self.rows[-1][1]} {self.rows[-1][2]}\n")

    def show(self) -> None:
        """Print the table."""
        table = Table("", "found", "wanted")
        for row in self.rows:
            table.add_row(*row)
        console = Console(width=None if sys.stdout.isatty() else 110)
        console.print(table)
        console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


def measure_speed(report: Report, folder: Path, seconds: int) -> None:
    """Point 1: CPU a request and requests a second at saturation, latency below it, and peers."""
    store = _folder_store(folder)
    Fleet(store).publish(LOADED)
    asks = _asks(LOADED)
    with _serving(store.url, folder, *UNLIMITED) as server:
        _load_all(server, LOADED)
        before = server.cpu
        found = run_wrk(server.port, asks, seconds=seconds, connections=8, core=OTHER)
        ours = found.rate
        spent = (server.cpu - before) / found.requests * 1e6
        report.tell("CPU a request, 1,000 models, Zipf", spent, "µs", at_most=130)
        report.tell("at saturation, one core", ours, "requests/s", at_least=7000)
        report.tell("… failed", found.failed, "", at_most=0)
        opened = _open(server, asks, rate=300, seconds=seconds)
        report.tell("open 300/s: p50", opened.quantile(0.5), "ms", at_most=1.5)
        report.tell("open 300/s: p99", opened.quantile(0.99), "ms", at_most=8)
        report.tell("… failed", opened.failed, "", at_most=0)
    for name, rate, theirs in _peers(folder, seconds):
        report.tell(f"{name}, scikit-learn: CPU a request", theirs, "µs")
        report.tell(f"{name}, scikit-learn", rate, "requests/s")
        report.tell(f"Tenantry beside {name}", ours / rate, "×", at_least=15)
        report.tell(f"… by CPU a request, beside {name}", theirs / spent, "×")


def measure_size(report: Report, folder: Path, seconds: int) -> None:  # noqa: ARG001 - as others
    """Point 2: start, memory and cold loads with 10,000 tenants registered."""
    store = _folder_store(folder)
    Fleet(store).publish(REGISTERED, models=LOADED)
    with _serving(store.url, folder, *UNLIMITED) as server:
        report.tell("start to ready, 10,000 tenants", server.started, "CPU s", at_most=2)
        report.tell("memory then", server.resident / 2**20, "MiB")
        cold = _load_all(server, LOADED)
        report.tell("cold first answer: p50", _quantile(cold, 0.5), "ms")
        report.tell("cold first answer: p99", _quantile(cold, 0.99), "ms", at_most=20)
        report.tell("memory with 1,000 loaded", server.resident / 2**20, "MiB", at_most=200)


def measure_swaps(report: Report, folder: Path, seconds: int) -> None:
    """Point 3: promotions under load, and how soon they are seen; on a MinIO."""
    with _minio_store(folder) as (_, store, environment):
        fleet = Fleet(store)
        fleet.publish(100)
        with _serving(store.url, folder, *UNLIMITED, environment=environment) as server:
            _load_all(server, 100)
            found, delays = asyncio.run(_swap(server, fleet, seconds))
            report.tell("promotions and rollbacks a second", len(delays) / seconds, "")
            report.tell("… visible, at the latest", max(delays), "s", at_most=5)
            report.tell("… failed requests", found.failed, f"of {len(found.seconds)}", at_most=0)
            report.tell("… p99 meanwhile", found.quantile(0.99), "ms")


async def _swap(server: Measured, fleet: Fleet, seconds: int) -> tuple[Opened, list[float]]:
    """Promote 30 tenants a second under load; return each promotion's delay until it answers."""
    waiting: dict[str, tuple[str, float]] = {}
    delays: list[float] = []
    path_of = {number: f"/v2/models/{PRODUCT}.{name_of(number)}/infer" for number in range(100)}

    def each(path: str, body: bytes) -> None:
        version, since = waiting.get(path, ("", 0.0))
        if version and f'"model_version":"{version}"'.encode() in body:
            delays.append(time.perf_counter() - since)
            del waiting[path]

    async def promote() -> None:
        start, counter = time.perf_counter(), 1
        for turn in range(30 * seconds):
            number = turn % 100
            counter += number == 0
            await asyncio.sleep(max(0.0, start + turn / 30 - time.perf_counter()))
            version = await asyncio.to_thread(fleet.promote, number, counter)
            path = path_of[number]
            if path in waiting:  # not seen before the next: counts as seen now
                delays.append(time.perf_counter() - waiting[path][1])
            waiting[path] = version, time.perf_counter()

    asks = [(path, _body(number)) for number, path in path_of.items()]
    load = OpenLoad(server.port, asks, rate=300)
    found, _ = await asyncio.gather(load.run(seconds + 6, each), promote())
    delays += [time.perf_counter() - since for _, since in waiting.values()]
    return found, delays


def measure_outage(report: Report, folder: Path, seconds: int) -> None:
    """Point 4: the store stops for the whole of a load, and comes back."""
    with _minio_store(folder) as (minio, store, environment):
        fleet = Fleet(store)
        fleet.publish(200)
        with _serving(store.url, folder, *UNLIMITED, environment=environment) as server:
            _load_all(server, 200)
            minio.process.stop()
            found = _open(server, _asks(200), rate=300, seconds=seconds)
            report.tell("store down: failed", found.failed, f"of {len(found.seconds)}", at_most=0)
            report.tell("store down: p99", found.quantile(0.99), "ms")
            minio.process.start()
            version, start = fleet.promote(0, 2), time.perf_counter()
            while _version(server, 0) != version and time.perf_counter() < start + 60:
                time.sleep(0.05)
            report.tell("caught up after its return", time.perf_counter() - start, "s", at_most=10)
        minio.process.stop()
        with _serving(store.url, folder, *UNLIMITED, environment=environment) as server:
            found = _open(server, _asks(200), rate=300, seconds=5)
            failed = found.failed
            report.tell(
                "restarted without it: failed", failed, f"of {len(found.seconds)}", at_most=0
            )
        minio.process.start()


def measure_flood(report: Report, folder: Path, seconds: int) -> None:
    """Point 5: one tenant asks ten times its limit."""
    store = _folder_store(folder)
    Fleet(store).publish(200)
    limit = 50
    with _serving(store.url, folder, "--rate", str(limit), "--burst", str(limit)) as server:
        _load_all(server, 200)
        asks = [_ask(number) for number in range(1, 200)]
        quiet: list[float] = []
        flooded: list[float] = []
        for _ in range(3):
            quiet += _open(server, asks, rate=300, seconds=seconds // 3).seconds
            found, refused = asyncio.run(_flood(server, asks, 10 * limit, seconds // 3))
            flooded += found.seconds
        before, after = _quantile(quiet, 0.99), _quantile(flooded, 0.99)
        report.tell("others' p99, quiet", before, "ms")
        report.tell("others' p99, one at 10 × its limit", after, "ms")
        report.tell("… rise", (after / before - 1) * 100, "%", at_most=20)
        report.tell("the flood's refused", refused, "%")


async def _flood(
    server: Measured, asks: Sequence[Ask], rate: float, seconds: int
) -> tuple[Opened, float]:
    others, flood = await asyncio.gather(
        OpenLoad(server.port, asks, rate=300).run(seconds),
        OpenLoad(server.port, [_ask(0)], rate=rate, seed=2).run(seconds),
    )
    return others, 100 * flood.statuses[429] / max(1, sum(flood.statuses.values()))


PARTS: dict[str, Callable[[Report, Path, int], None]] = {
    "speed": measure_speed,
    "size": measure_size,
    "swaps": measure_swaps,
    "outage": measure_outage,
    "flood": measure_flood,
}


@contextmanager
def _serving(
    url: str, folder: Path, *options: str, environment: dict[str, str] | None = None
) -> Iterator[Measured]:
    environ = {"TENANTRY_STORE": url, "XDG_CACHE_HOME": str(folder / "cache")}

    def command(port: int) -> list[str]:
        return [sys.executable, "-m", "tenantry", "serve", "--port", str(port), "--drain", "0",
                *options]  # fmt: skip

    with running(command, folder / "serve.log", environment=environ | (environment or {})) as one:
        yield one


def _peers(folder: Path, seconds: int) -> Iterator[tuple[str, float, float]]:
    """Yield what each peer does at saturation: requests a second, CPU microseconds a request."""
    frame, _ = make_rows(1, 7)
    row = {name: value for name, value in frame.iloc[0].items() if value == value}  # noqa: PLR0124
    names = [f"bench-t{number:05}" for number in range(MODELS)]
    v1 = json.dumps({"instances": [row]}).encode()
    v2 = json.dumps({"parameters": {"content_type": "pd"}, **as_v2(row)}).encode()
    for peer, make, body in ((KSERVE, kserve_command, v1), (MLSERVER, mlserver_command, v2)):
        if not peer.python.exists():
            sys.stderr.write(f"{peer.name}: none; python -m benchmarks.serving.peers builds it\n")
            continue
        place = folder / peer.name
        place.mkdir(parents=True)
        peer.make_models(place)
        with running(lambda port: make(place, port), folder / f"{peer.name}.log",  # noqa: B023
                     ready="/v2/health/ready") as server:  # fmt: skip
            asks = [(peer.path.format(name=name), body) for name in names]
            before = server.cpu
            found = run_wrk(server.port, asks, seconds=seconds, connections=8, core=OTHER)
            if found.failed:
                raise RuntimeError(f"{peer.name}: {found.failed} failed; {server.log.read_text()}")
            yield peer.name, found.rate, (server.cpu - before) / found.requests * 1e6


def _folder_store(folder: Path) -> FolderStore:
    folder.mkdir(parents=True)
    return FolderStore(folder / "store")


@contextmanager
def _minio_store(folder: Path) -> Iterator[tuple[MinioServer, ObjectStore, dict[str, str]]]:
    (folder / "minio").mkdir(parents=True)
    binary = install_minio(cache_folder() / "bin")
    with minio_running(binary, folder / "minio") as server:
        keys = server.access_key, server.secret_key
        Minio(server.endpoint, *keys, secure=False).make_bucket("serving")
        address = BucketAddress(
            endpoint=server.endpoint, bucket="serving", access_key=keys[0], secret_key=keys[1],
            secure=False,
        )  # fmt: skip
        environment = {
            "AWS_ACCESS_KEY_ID": keys[0], "AWS_SECRET_ACCESS_KEY": keys[1],
            "TENANTRY_ISOLATION": "shared",
        }  # fmt: skip
        yield server, MinioStore(address), environment


def _asks(tenants: int) -> list[Ask]:
    """Return requests of tenants by Zipf's law, which tenant is asked often is drawn."""
    random_ = random.Random(7)  # noqa: S311 - no secret
    drawn = random_.choices(range(tenants), weights=zipf(tenants), k=5000)
    return [_ask(number * 7 % tenants) for number in drawn]


def _ask(number: int) -> Ask:
    return f"/v2/models/{PRODUCT}.{name_of(number)}/infer", _body(number)


ROWS = list(request_rows(50))


def _body(number: int) -> bytes:
    return json.dumps(as_v2(ROWS[number % len(ROWS)]), separators=(",", ":")).encode()


def _open(server: Measured, asks: Sequence[Ask], *, rate: float, seconds: int) -> Opened:
    return asyncio.run(OpenLoad(server.port, asks, rate=rate).run(seconds))


def _load_all(server: Measured, tenants: int) -> list[float]:
    """Ask every tenant once, one after another; return the seconds of each."""

    async def ask() -> list[float]:
        load, seconds = OpenLoad(server.port, [], rate=1.0), []
        for number in range(tenants):
            found, due = Opened(), time.perf_counter()
            await load.ask(_ask(number), due, found)
            if found.failed:
                raise RuntimeError(server.log.read_text()[-2000:])
            seconds += found.seconds
        return seconds

    return asyncio.run(ask())


def _version(server: Measured, number: int) -> str:
    """Return the version that answers for a tenant."""
    found = Opened()
    asyncio.run(OpenLoad(server.port, [], rate=1.0).ask(_ask(number), time.perf_counter(), found))
    return next((json.loads(body)["model_version"] for body in found.bodies.values()), "")


def _quantile(seconds: Sequence[float], share: float) -> float:
    found = Opened()
    found.seconds = [*seconds]
    return found.quantile(share)


if __name__ == "__main__":
    sys.exit(main())
