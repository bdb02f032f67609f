"""Measure `tenantry serve`: `make bench-serve`, or PARTS="speed size swaps outage flood".

The server has one core, who asks it the other. Figures of a machine that does other work meanwhile
are told with its load; nothing here fails by being slow except against the targets.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean, median

from minio import Minio

from benchmarks.serving.asks import (
    ask_openly,
    body_of,
    load_all,
    quantile,
    version_of,
    zipf_asks,
)
from benchmarks.serving.bare import ELSEWHERE, bare_asks, bare_command
from benchmarks.serving.fleet import PRODUCT, Fleet, as_v2, name_of
from benchmarks.serving.flood import compare
from benchmarks.serving.load import Opened, OpenLoad, run_wrk
from benchmarks.serving.peers import KSERVE, MLSERVER, MODELS, kserve_command, mlserver_command
from benchmarks.serving.pipelines import make_rows
from benchmarks.serving.processes import OTHER, Measured, running
from benchmarks.serving.report import Report
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


def measure_speed(report: Report, folder: Path, seconds: int) -> None:
    """Point 1: CPU a request and requests a second at saturation, latency below it, and peers."""
    store = _folder_store(folder)
    Fleet(store).publish(LOADED)
    asks = zipf_asks(LOADED)
    with _serving(store.url, folder, *UNLIMITED) as server:
        load_all(server, LOADED)
        before = server.cpu
        found = run_wrk(server.port, asks, seconds=seconds, connections=8, core=OTHER)
        ours = found.rate
        spent = (server.cpu - before) / found.requests * 1e6
        report.tell("CPU a request, 1,000 models, Zipf", spent, "µs", at_most=130)
        report.tell("at saturation, one core", ours, "requests/s", at_least=7000)
        report.tell("… failed", found.failed, "", at_most=0)
        opened = ask_openly(server, asks, rate=300, seconds=seconds)
        report.tell("open 300/s: p50", opened.quantile(0.5), "ms", at_most=1.5)
        report.tell("open 300/s: p99", opened.quantile(0.99), "ms", at_most=8)
        report.tell("… failed", opened.failed, "", at_most=0)
    bare_rate, bare = _measure_bare(store, folder, seconds)
    report.tell("bare Starlette and uvicorn: CPU a request", bare, "µs")
    report.tell("… at saturation", bare_rate, "requests/s")
    report.tell("… this machine beside that of the targets", bare / ELSEWHERE, "×")
    report.tell("Tenantry's CPU beside the bare one's", spent / bare, "×")
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
        cold = load_all(server, LOADED)
        report.tell("cold first answer: p50", quantile(cold, 0.5), "ms")
        report.tell("cold first answer: p99", quantile(cold, 0.99), "ms", at_most=20)
        report.tell("memory with 1,000 loaded", server.resident / 2**20, "MiB", at_most=200)


def measure_swaps(report: Report, folder: Path, seconds: int) -> None:
    """Point 3: promotions under load, and how soon they are seen; on a MinIO."""
    with _minio_store(folder) as (_, store, environment):
        fleet = Fleet(store)
        fleet.publish(REGISTERED, models=100)
        with _serving(store.url, folder, *UNLIMITED, environment=environment) as server:
            load_all(server, 100)
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

    asks = [(path, body_of(number)) for number, path in path_of.items()]
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
            load_all(server, 200)
            minio.process.stop()
            found = ask_openly(server, zipf_asks(200), rate=300, seconds=seconds)
            report.tell("store down: failed", found.failed, f"of {len(found.seconds)}", at_most=0)
            report.tell("store down: p99", found.quantile(0.99), "ms")
            minio.process.start()
            version, start = fleet.promote(0, 2), time.perf_counter()
            while version_of(server, 0) != version and time.perf_counter() < start + 60:
                time.sleep(0.05)
            report.tell("caught up after its return", time.perf_counter() - start, "s", at_most=10)
        minio.process.stop()
        with _serving(store.url, folder, *UNLIMITED, environment=environment) as server:
            found = ask_openly(server, zipf_asks(200), rate=300, seconds=5)
            failed = found.failed
            report.tell(
                "restarted without it: failed", failed, f"of {len(found.seconds)}", at_most=0
            )
        minio.process.start()


def measure_flood(report: Report, folder: Path, seconds: int) -> None:
    """Point 5: one tenant asks ten times its limit, from a process of its own."""
    store = _folder_store(folder)
    Fleet(store).publish(200)
    limit = 50
    with _serving(store.url, folder, "--rate", str(limit), "--burst", str(limit)) as server:
        load_all(server, 200)
        pairs = [compare(server, 10 * limit, max(2, seconds // 4)) for _ in range(5)]
        report.tell("others' p99, quiet: median of 5", median(one.quiet for one in pairs), "ms")
        report.tell(
            "others' p99, one at 10 × its limit", median(one.flooded for one in pairs), "ms"
        )
        rise = median(one.flooded / one.quiet for one in pairs) - 1
        report.tell("… rise: median of 5 pairs", rise * 100, "%", at_most=20)
        report.tell("… failed", sum(one.failed for one in pairs), "", at_most=0)
        report.tell("the flood's refused", 100 * fmean(one.refused for one in pairs), "%")


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


def _measure_bare(store: FolderStore, folder: Path, seconds: int) -> tuple[float, float]:
    """Return what the bare application does: requests a second, CPU microseconds a request."""

    def command(port: int) -> list[str]:
        return bare_command(store, LOADED, port)

    with running(command, folder / "bare.log", ready="/ready") as server:
        before = server.cpu
        asks = bare_asks(LOADED)
        found = run_wrk(server.port, asks, seconds=seconds, connections=8, core=OTHER)
        if found.failed:
            raise RuntimeError(f"{found.failed} failed; {server.log.read_text()}")
        return found.rate, (server.cpu - before) / found.requests * 1e6


def _peers(folder: Path, seconds: int) -> Iterator[tuple[str, float, float]]:
    """Yield what each peer does at saturation: requests a second, CPU microseconds a request."""
    frame, _ = make_rows(1, 7)
    row = {str(name): value for name, value in frame.iloc[0].items() if value == value}  # noqa: PLR0124
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


if __name__ == "__main__":
    sys.exit(main())
