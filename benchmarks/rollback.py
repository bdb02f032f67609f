"""Roll a fleet back on a real MinIO: `make bench-rollback`.

Each tenant has three models that reigned, the decisions about them and eight weeks of predictions;
the command takes all of them back to the first one. Every file is read and its digest compared.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from minio import Minio
from rich.console import Console
from rich.table import Table

from tenantry.champions import read_champion
from tenantry.index import rebuild
from tenantry.predictions import Receipt
from tenantry.receipts import write_receipt
from tenantry.registry.fleet import find_fleet_rollback, make_fleet_rollback
from tenantry.registry.rollback import Aim
from tenantry.store.contract import ObjectStore
from tenantry.store.minio import MinioStore
from tenantry.store.s3_client import BucketAddress
from tenantry.surveys import find_differences, survey
from tenantry.times import Window
from tests.servers.minio import MinioServer, cache_folder, install_minio, minio_running
from tests.unit.registry.made import ORDER, PRODUCT, day, make_pooled, make_tenant, version

DAYS = (0, 31, 62)
WEEK = timedelta(days=7)
WEEKS = 8
MODEL_BYTES = 30_000
TARGET_SECONDS = 10.0
WIDTH = 100


def main() -> int:
    """Make a fleet, roll it back, print what that took; return 1 when it took too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=1000)
    wanted = parser.parse_args().tenants
    binary = install_minio(cache_folder() / "bin")
    with (
        tempfile.TemporaryDirectory() as folder,
        minio_running(binary, Path(folder)) as server,
    ):
        store = _open(server)
        tenants = [f"t{number:05}" for number in range(wanted)]
        _make_fleet(store, tenants)
        rebuild(store, PRODUCT)
        return _measure(store, tenants)


def _measure(store: ObjectStore, tenants: list[str]) -> int:
    spent: dict[str, Spent] = {}
    with _timed(spent, "found out (the dry run)"):
        found = find_fleet_rollback(store, PRODUCT, Aim(time=day(1)), ORDER)
    with _timed(spent, "done"):
        done = make_fleet_rollback(store, found)
    moved = sum(step.move is not None for step in done.steps)
    sound = all(_reigning(store, tenant) == version(0, tenant) for tenant in tenants)
    sound = sound and not find_differences(survey(store, PRODUCT))
    total = Spent(*map(sum, zip(*spent.values(), strict=True)))
    table = Table("", "seconds", "CPU, command", "CPU, MinIO", title=f"{moved:,} tenants")
    for name, one in (spent | {"in all": total}).items():
        table.add_row(name, *(f"{seconds:.1f}" for seconds in one))
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(table)
    load = os.getloadavg()[0]
    console.print(f"{os.cpu_count()} cores, load {load:.1f}; at most {TARGET_SECONDS:g} s wanted.")
    return 0 if sound and moved == len(tenants) and total.wall <= TARGET_SECONDS else 1


class Spent(NamedTuple):
    """Seconds: elapsed, of the command's CPU, of the server's."""

    wall: float
    cpu: float
    server: float


@contextmanager
def _timed(spent: dict[str, Spent], name: str) -> Iterator[None]:
    before = time.monotonic(), time.process_time(), _server_seconds()
    yield
    after = time.monotonic(), time.process_time(), _server_seconds()
    spent[name] = Spent(*(end - start for start, end in zip(before, after, strict=True)))


def _server_seconds() -> float:
    """Return the CPU seconds that this process's children have spent (Linux only)."""
    children = Path("/proc/self/task").glob("*/children")
    pids = [pid for listed in children for pid in listed.read_text().split()]
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _reigning(store: ObjectStore, tenant: str) -> str:
    champion = read_champion(store, PRODUCT, tenant)
    return champion.current.version if champion else ""


def _open(server: MinioServer) -> ObjectStore:
    keys = server.access_key, server.secret_key
    Minio(server.endpoint, *keys, secure=False).make_bucket("rollback")
    return MinioStore(
        BucketAddress(
            endpoint=server.endpoint,
            bucket="rollback",
            access_key=keys[0],
            secret_key=keys[1],
            secure=False,
        )
    )


def _make_fleet(store: ObjectStore, tenants: list[str]) -> None:
    pooled = make_pooled(store)

    def make(tenant: str) -> None:
        make_tenant(store, DAYS, tenant, pooled=pooled, size=MODEL_BYTES)
        for week in range(WEEKS):
            window = Window(day(0) + week * WEEK, day(0) + (week + 1) * WEEK)
            write_receipt(store, _receipt(tenant, window))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(make, tenants))


def _receipt(tenant: str, window: Window) -> Receipt:
    return Receipt(
        product=PRODUCT,
        tenant=tenant,
        window=window.id,
        model=version(0, tenant),
        model_digest="d" * 64,
        trained_until=day(0),
        snapshot="5" * 64,
        features="f" * 64,
        as_of=window.end,
        rows=100,
        late=0,
        decided=20,
        threshold=0.5,
        mean_probability=0.2,
        explained=20,
        in_sample=False,
    )


if __name__ == "__main__":
    sys.exit(main())
