"""Plan a fleet of 10,000 tenants with a year of state on a real MinIO: `make bench-planning`.

Each tenant was trained every four weeks and predicted every week; the index holds a segment of all
tenants, and one of each of the 32 shards of the last run. The plan is made by a process of its own:
imports, loading the specs, and `make_plan` are told apart.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from minio import Minio
from rich.console import Console
from rich.table import Table

from tenantry.champions import Champion, Reign
from tenantry.facts import Attempt, Measured, Predicted
from tenantry.index import rebuild, write_segment
from tenantry.ledger import STAGES
from tenantry.request import PlanRequest
from tenantry.specs.load import Fleet, load_product
from tenantry.specs.model import Spec
from tenantry.states import TenantRecord
from tenantry.store.contract import ObjectStore
from tenantry.store.minio import MinioStore
from tenantry.store.s3_client import BucketAddress
from tenantry.times import Window, compact, format_moment, parse_moment
from tests.servers.minio import MinioServer, cache_folder, install_minio, minio_running

PRODUCT = "churn"
START = datetime(2024, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)
WEEKS = 52
SHARDS = 32
TARGET_SECONDS, TARGET_MIB = 10.0, 500
CHANGES = (
    "gate: {min_rows: 300}\n",
    "model: {min_rows: 150}\n",
    "features: {hour: null}\n",
)

PRODUCT_FILE = """\
apiVersion: tenantry/v2
product: churn
title: Churn
tenants_may_set: [description, features, gate, model, train]
sources:
  rows: [{name: visits, connection: lake, kind: parquet, path: visits}]
row_filter: {pattern: "(?P<account>.+)"}
key: [account, visit]
times: {event_time: at, label_known_at: {delay: 1d}}
label: {column: left}
contract:
  columns:
    account: {type: category}
    visit: {type: integer}
    at: {type: time}
    left: {type: boolean}
    minutes: {type: number, min: 0}
    plan: {type: category}
features:
  minutes: {kind: numeric, unit: min}
  plan: {kind: categorical}
  hour: {kind: calendar, part: hour}
  weekday: {kind: calendar, part: weekday}
model: {candidates: {pooled: {}, logistic: {C: 0.5}}, validation: 14d}
train: {every: 28d, history: 365d}
gate: {holdout: 14d}
predict: {window: 7d, start: 2024-01-01}
pooled: {every: 28d}
"""


def main() -> int:
    """Make specs and state, plan in a process of its own; return 1 when it took too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tenants", type=int, default=10_000)
    parser.add_argument("--plan", nargs=2, metavar=("SPECS", "AS_OF"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.plan:
        print(json.dumps(_plan(Path(asked.plan[0]), asked.plan[1])))  # noqa: T201
        return 0
    binary = install_minio(cache_folder() / "bin")
    with (
        tempfile.TemporaryDirectory() as folder,
        minio_running(binary, Path(folder)) as server,
    ):
        fleet = write_specs(Path(folder) / "specs", asked.tenants)
        size = write_state(open_bucket(server), fleet)
        return measure(server, Path(folder) / "specs", size)


def measure(server: MinioServer, specs: Path, size: int) -> int:
    """Plan at the time of the last run and a week later; print what that took."""
    last = START + WEEKS * WEEK
    table = Table("", "due", "imports", "specs", "make_plan", "CPU in all", "seconds", "peak MiB")
    worst = (0.0, 0.0)
    for name, as_of in (("again", last), ("a week later", last + WEEK)):
        found = _in_a_process(server, specs, format_moment(as_of))
        total = found["specs"] + found["make_plan"]
        worst = max(worst[0], total), max(worst[1], found["mib"])
        figures = [found[part] for part in ("imports", "specs", "make_plan")]
        shown = [f"{one:.1f}" for one in (*figures, total, found["wall"])]
        table.add_row(name, f"{found['due']:,.0f}", *shown, f"{found['mib']:.0f}")
    console = Console(width=None if sys.stdout.isatty() else 100)
    console.print(table)
    console.print(f"The index: {size / 1e6:.1f} MB. CPU in all is without imports.")
    load = os.getloadavg()[0]
    limits = f"at most {TARGET_SECONDS:g} CPU-s and {TARGET_MIB} MiB wanted"
    console.print(f"{os.cpu_count()} cores, load {load:.1f}; {limits}.")
    return 0 if worst[0] <= TARGET_SECONDS and worst[1] <= TARGET_MIB else 1


def _in_a_process(server: MinioServer, specs: Path, as_of: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.planning", "--plan", str(specs), as_of]
    environment = os.environ | {
        "BENCH_ENDPOINT": server.endpoint,
        "BENCH_ACCESS_KEY": server.access_key,
        "BENCH_SECRET_KEY": server.secret_key,
    }
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE)  # noqa: S603 - our own
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _plan(specs: Path, as_of: str) -> dict[str, float]:
    from tenantry.stages.plan import make_plan

    names = ("BENCH_ENDPOINT", "BENCH_ACCESS_KEY", "BENCH_SECRET_KEY")
    store = _store(*(os.environ[name] for name in names))
    marks, began = [time.process_time()], time.monotonic()
    fleet = load_product(specs, PRODUCT)
    marks.append(time.process_time())
    made = make_plan(PlanRequest("bench", parse_moment(as_of)), fleet, store)
    marks.append(time.process_time())
    return {
        "imports": marks[0],
        "specs": marks[1] - marks[0],
        "make_plan": marks[2] - marks[1],
        "wall": time.monotonic() - began,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "due": sum(bool(planned.due) for planned in made.tenants.values()),
    }


def open_bucket(server: MinioServer) -> ObjectStore:
    """Make the bucket and return it as a store."""
    keys = server.access_key, server.secret_key
    Minio(server.endpoint, *keys, secure=False).make_bucket("planning")
    return _store(server.endpoint, *keys)


def _store(endpoint: str, access_key: str, secret_key: str) -> ObjectStore:
    return MinioStore(
        BucketAddress(
            endpoint=endpoint,
            bucket="planning",
            access_key=access_key,
            secret_key=secret_key,
            secure=False,
        )
    )


def write_specs(folder: Path, count: int) -> Fleet:
    """Write a product and its tenants, a quarter of them with changes of their own."""
    tenants = folder / PRODUCT
    tenants.mkdir(parents=True)
    (folder / "connections.yaml").write_text("connections:\n  lake: {url: lake}\n")
    (tenants / "product.yaml").write_text(PRODUCT_FILE)
    for number in range(count):
        name = f"t{number:05}"
        own = CHANGES[number // 4 % len(CHANGES)] if number % 4 == 0 else ""
        text = f"apiVersion: tenantry/v2\ntenant: {name}\n{own}"
        (tenants / f"{name}.yaml").write_text(text)
    return load_product(folder, PRODUCT)


def write_state(store: ObjectStore, fleet: Fleet) -> int:
    """Write the index of a year; return its size in bytes."""
    rebuild(store, PRODUCT)
    specs = list(fleet.specs.values())
    write_segment(store, PRODUCT, (record_of(spec, WEEKS - 1) for spec in specs))
    for shard in range(SHARDS):
        news = (
            record_of(spec, WEEKS).minus(record_of(spec, WEEKS - 1))
            for spec in specs[shard::SHARDS]
        )
        write_segment(store, PRODUCT, news)
    return sum(info.size for info in store.list(f"products/{PRODUCT}/index/"))


def record_of(spec: Spec, weeks: int) -> TenantRecord:
    """Return what a tenant's folder holds after so many weekly runs."""
    runs = [START + n * WEEK for n in range(1, weeks + 1)]
    trained = [at for n, at in enumerate(runs) if n % 4 == 0]
    crowned = trained[::5]
    windows = [Window(at - WEEK, at) for at in runs]
    champion = Champion(
        counter=len(crowned), reigns=tuple(_reign(spec, moment) for moment in crowned)
    )
    return TenantRecord(
        spec.tenant,
        champion=champion,
        attempts=frozenset(_attempts(spec, trained, crowned)),
        predicted={window: (_predicted(champion, window),) for window in windows},
        judged=frozenset(windows[1:-1]),
        costs={stage: Measured(runs[-1], 0.1234) for stage in STAGES},
    )


def _version(spec: Spec, moment: datetime) -> str:
    return f"{compact(moment)}-0123456{spec.tenant[1:]}"


def _reign(spec: Spec, moment: datetime) -> Reign:
    return Reign(
        since=moment,
        version=_version(spec, moment),
        digest="",
        trained_until=moment,
        training_digest=spec.training_digest,
        recipe="blended",
        gate="",
    )


def _attempts(spec: Spec, trained: list[datetime], crowned: list[datetime]) -> Iterator[Attempt]:
    for at in trained:
        version = _version(spec, at)
        yield Attempt(at, version, spec.training_digest, 5000, promoted=at in crowned)


def _predicted(champion: Champion, window: Window) -> Predicted:
    reign = champion.at(window.start)
    model = (reign or champion.earliest).version
    return Predicted(window.end, model, in_sample=reign is None)


if __name__ == "__main__":
    sys.exit(main())
