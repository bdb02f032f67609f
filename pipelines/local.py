"""Run the pipeline without a cluster: `kfp.local` over a folder store, the embedded default."""

import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from rich.console import Console

from tenantry import layout
from tenantry.cpu import children_seconds
from tenantry.plans import RunPlan
from tenantry.settings import load_settings
from tenantry.store.open import open_store

LOCAL_SHARDS = 2
"""`kfp.local` runs two iterations at once, and each pays for its imports."""

PYTHON_WARNING = "You may be attemping to run a task that uses custom or non-Python base image"


_ERROR = re.compile(r"(?<=tenantry\.errors\.)\w+Error: .*")


@dataclass(frozen=True)
class LocalRun:
    """A run that has ended.

    Attributes:
        succeeded: Whether the pipeline did.
        run: Its id; empty when it could not even plan.
        page: The fleet report.
        log: All that its tasks printed.
        cpu_seconds: User and system time of all its processes.
    """

    succeeded: bool
    run: str
    page: Path
    log: Path
    cpu_seconds: float


def compile_local(path: Path, slot: str) -> None:
    """Compile the pipeline with a literal slot: all that a local run changes."""
    from kfp import compiler

    from pipelines.fleet import build_fleet

    path.parent.mkdir(parents=True, exist_ok=True)
    compiler.Compiler().compile(build_fleet(slot), str(path))


def run_compiled(spec: Path, root: Path, arguments: dict[str, Any]) -> None:
    """Run a compiled spec in `kfp.local`, in this process; tasks are subprocesses.

    Raises:
        RuntimeError: A task failed.
    """
    from kfp import components, local

    warnings.filterwarnings("ignore", message=PYTHON_WARNING)
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(root))
    components.load_component_from_file(str(spec))(**arguments)


def run_local(arguments: dict[str, Any], slot: str, folder: Path, *, quiet: bool) -> LocalRun:
    """Run the pipeline in a process of its own and show how it gets on.

    Args:
        arguments: The pipeline's parameters.
        slot: The time the run stands for, where `as_of` is empty.
        folder: Gets the compiled spec, the artifacts and the log.
        quiet: Show nothing.
    """
    artifacts = folder / "artifacts"
    artifacts.mkdir(parents=True, exist_ok=True)
    spec, log = folder / "fleet.yaml", folder / "run.log"
    compile_local(spec, slot)
    before, used = set(artifacts.iterdir()), children_seconds()
    command = [sys.executable, "-m", "pipelines.local", str(spec), str(artifacts)]
    with subprocess.Popen(  # noqa: S603 - our own module
        [*command, json.dumps(arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    ) as process:
        _follow(process, log, Console(stderr=True, quiet=quiet, highlight=False))
    made = max(set(artifacts.iterdir()) - before, default=artifacts / "none")
    run = _run_id(made / "plan" / "plan_ledger" / "plan.json")
    return LocalRun(
        succeeded=process.returncode == 0,
        run=run,
        page=_readable(made / "report" / "page", run, folder, arguments.get("region", "")),
        log=log,
        cpu_seconds=children_seconds() - used,
    )


def _readable(artifact: Path, run: str, folder: Path, region: str) -> Path:
    """Return the page where a browser shows it whole: in the store its links lead to its objects.

    A run in which nothing was due has none there; its artifact gets a name that browsers know.
    """
    if run:
        store = urlsplit(open_store(load_settings(), region).url)
        stored = Path(unquote(store.path)) / layout.fleet_report(run)
        if stored.exists():
            return stored
    page = folder / "report.html"
    if artifact.exists():
        page.write_bytes(artifact.read_bytes())
    return page


def _run_id(plan: Path) -> str:
    return RunPlan.from_json(plan.read_bytes(), str(plan)).run if plan.exists() else ""


def _follow(process: "subprocess.Popen[str]", log: Path, console: Console) -> None:
    """Copy what the run prints to its log; tell a person what each shard has come through."""
    with log.open("w", encoding="utf-8") as file:
        for line in _lines(process):
            file.write(line)
            file.flush()
            if text := _told(line):
                console.print(text, markup=False)


def _lines(process: "subprocess.Popen[str]") -> Iterator[str]:
    if process.stdout:
        yield from process.stdout


def _told(line: str) -> str:
    """Return what a log line means to a person; most mean nothing."""
    if (error := _ERROR.search(line)) and not line.startswith("{"):
        return f"  {error[0].strip()}"
    if not line.startswith("{"):
        return ""
    try:
        record = json.loads(line)
    except ValueError:
        return ""
    if record.get("status") == "failed":
        return f"  {record['stage']}: {record['tenant']} failed: {record['message']}"
    if "tenant" not in record:
        return f"  {record.get('message', '')}".rstrip()
    return ""


if __name__ == "__main__":
    run_compiled(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]))
