"""The demo: the fleet at two dates, on real flights, without a cluster."""

import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from pipelines.local import LOCAL_SHARDS, LocalRun, run_local
from tenantry.settings import load_settings
from tenantry.store.open import open_store
from tools.costs import print_costs

PRODUCT = "arrival-delay"
DATES = ("2013-10-01", "2013-11-01")
HOME = Path("demo")
SHARD_WORKERS = "2"
"""Two shards run at once; the one with many tenants keeps both cores busy."""


def main() -> int:
    """Run both dates, then show the fleet, where the CPU time went, and the report's path."""
    console = Console(highlight=False)
    os.environ.setdefault("TENANTRY_STORE", (HOME / "store").resolve().as_uri())
    os.environ.setdefault("TENANTRY_WORKERS", SHARD_WORKERS)
    os.environ.setdefault("TENANTRY_CODE_VERSION", _code_version())
    done = [_run(date, console) for date in DATES]
    subprocess.run([sys.executable, "-m", "tenantry", "status", PRODUCT], check=False)  # noqa: S603
    print_costs(done, open_store(load_settings()), console)
    console.print(f"Fleet report: {done[-1].page.resolve()}", soft_wrap=True)
    return 0 if all(run.succeeded for run in done) else 1


def _code_version() -> str:
    """Return the commit that model cards are to name; the package's version without git."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        told = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return version("tenantry")
    return told.stdout.strip()


def _run(date: str, console: Console) -> LocalRun:
    console.print(f"[bold]{PRODUCT} as of {date}[/bold]")
    started = time.monotonic()
    parameters = {"product": PRODUCT, "as_of": date, "max_shards": LOCAL_SHARDS}
    done = run_local(parameters, date, HOME / "runs" / date, quiet=False)
    state = "succeeded" if done.succeeded else "[red]failed[/red]"
    seconds = time.monotonic() - started
    console.print(f"{state} in {seconds:.0f} s, {done.cpu_seconds:.0f} CPU-seconds; {done.log}")
    return done


if __name__ == "__main__":
    sys.exit(main())
