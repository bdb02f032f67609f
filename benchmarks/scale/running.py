"""Running the benchmark's fleet on a store of its own, and what that took."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from minio import Minio

from benchmarks.scale.landing import AS_OF, PRODUCT
from pipelines.local import LOCAL_SHARDS, LocalRun, run_local
from tenantry.cpu import children_seconds
from tenantry.fleet import FleetState
from tests.servers.minio import cache_folder, install_minio, minio_running

_UNTOLD = (
    "import kfp.dsl.executor_main, tenantry.stages.check_fleet",
    "import kfp.dsl.executor_main, tenantry.stages.report",
)
"""What is imported by the processes that keep no record of it."""

_RUNNER = "import pipelines.local, kfp.components, kfp.local"
"""The same of Kubeflow's runner, in the place of a cluster."""


@contextmanager
def pointed_at(folder: Path, kind: str) -> Iterator[None]:
    """Point Tenantry at the benchmark's specs, and at a store of its own: a folder, or MinIO."""
    told = {
        "TENANTRY_SPECS": str(folder / "specs"),
        "TENANTRY_CONNECTIONS": str(folder / "connections.yaml"),
        "TENANTRY_WORKERS": "1",
        "TENANTRY_STORE": (folder / "store").as_uri(),
    }
    if kind == "folder":
        os.environ.update(told)
        yield
        return
    binary = install_minio(cache_folder() / "bin")
    place = folder / "minio"
    place.mkdir()
    with minio_running(binary, place) as server:
        client = Minio(
            server.endpoint,
            access_key=server.access_key,
            secret_key=server.secret_key,
            secure=False,
        )
        client.make_bucket("bench")
        told["TENANTRY_STORE"] = f"s3+http://{server.endpoint}/bench"
        told |= {"AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key}
        os.environ.update(told)
        yield
        seconds = process_seconds(server.process.pid)
        say(f"the MinIO server took {seconds:.0f} CPU-seconds, which no figure counts")


def run(folder: Path) -> LocalRun:
    """Run the pipeline once over the fleet of a folder.

    Raises:
        RuntimeError: It failed.
    """
    parameters = {"product": PRODUCT, "as_of": AS_OF, "max_shards": LOCAL_SHARDS}
    done = run_local(parameters, AS_OF, folder / "runs", quiet=False)
    if not done.succeeded:
        kept = Path(shutil.copy(done.log, "build")) if Path("build").is_dir() else done.log
        msg = f"the run failed; see {kept}"
        raise RuntimeError(msg)
    return done


def run_and_peak(folder: Path) -> tuple[LocalRun, float]:
    """Run as `run` does; return the largest memory of any of its processes, too, in MiB."""
    with ProcessPoolExecutor(1) as alone:  # a process knows the peak of its own children only
        return alone.submit(_run_and_peak, folder).result()


def _run_and_peak(folder: Path) -> tuple[LocalRun, float]:
    done = run(folder)
    return done, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def import_seconds(fleet: FleetState) -> float:
    """Return the CPU-seconds in which a run's processes started and imported.

    Those that work for tenants tell their own; of the last two and of Kubeflow's runner they are
    measured here.
    """
    return fleet.import_seconds + sum(map(_import_seconds, (*_UNTOLD, _RUNNER)))


def runner_seconds() -> float:
    """Return the CPU-seconds of Kubeflow's runner, which the tenants of a cluster do not pay."""
    return _import_seconds(_RUNNER)


def _import_seconds(code: str) -> float:
    used = children_seconds()
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own modules
    return children_seconds() - used


def process_seconds(pid: int) -> float:
    """Return the user and system time of a process that still runs."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def say(text: str) -> None:
    """Tell a person how the benchmark gets on."""
    sys.stderr.write(f"{text}\n")
