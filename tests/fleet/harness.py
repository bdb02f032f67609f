"""Runs the whole fleet in this process, task by task, as Kubeflow would: files in, files out."""

import json
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from tenantry import layout
from tenantry.digests import canonical_json
from tenantry.index import read_records
from tenantry.index_lines import to_line
from tenantry.ledger import STAGES, Ledger
from tenantry.plans import RunPlan, read_plan
from tenantry.request import PlanRequest
from tenantry.store.folder import FolderStore
from tenantry.tasks import check_run, plan_run, report_run, run_shard, train_pooled_run
from tenantry.times import parse_moment

PRODUCT = "arrival-delay"
ORIGINS = "/sources/"
"""In the keys of the records of what an ingest read: they follow the source files, not the rows."""

OF_RUNS = (
    "runs/",
    layout.segments_folder(PRODUCT),
    layout.openings_folder(PRODUCT),
    layout.at_work_folder(PRODUCT),
)
"""Where runs leave what differs between equal ones."""


@dataclass
class FleetRun:
    """A run that has ended.

    Attributes:
        run: Its id.
        shards: The shards it had.
        ledgers: The last ledger of each.
        page: The fleet report.
        metrics: What the report counted.
    """

    run: str
    shards: list[str]
    ledgers: dict[str, Ledger]
    page: str
    metrics: dict[str, float]

    @property
    def entries(self):
        return {entry.tenant: entry for ledger in self.ledgers.values() for entry in ledger.entries}

    def failures(self):
        return {
            tenant: [(failure.stage, failure.kind, failure.message) for failure in entry.failures]
            for tenant, entry in self.entries.items()
            if entry.failures
        }


@dataclass
class Harness:
    """A fleet with its own specs, sources and store.

    Attributes:
        home: A folder for all of it.
        specs: The folder of specs.
        store_folder: The store's folder.
        environment: What the tasks see.
        product: The product that is run.
    """

    home: Path
    specs: Path
    connections: Path
    store_folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    product: str = PRODUCT

    @property
    def store(self) -> FolderStore:
        return FolderStore(self.store_folder)

    def enter(self):
        """Make the tasks of this process see this fleet."""
        os.environ.update(
            {
                "TENANTRY_STORE": self.store_folder.as_uri(),
                "TENANTRY_SPECS": str(self.specs),
                "TENANTRY_CONNECTIONS": str(self.connections),
                "TENANTRY_WORKERS": "2",
                "TENANTRY_CODE_VERSION": "test",
            }
            | self.environment
        )

    def run(self, as_of, run="run-1", *, stages=STAGES, **asked):
        """Run the fleet; `asked` are further fields of the `PlanRequest`."""
        self.enter()
        folder = self.home / "files" / run
        folder.mkdir(parents=True)
        shards = self.plan(as_of, run, folder, **asked)
        train_pooled_run(str(folder / "plan"), str(folder / "pooled"), str(folder / "pooled.md"))
        ledgers = {shard: self._run_shard(shard, folder, stages) for shard in shards}
        region = asked.get("region", "")
        check_run(run, 1.0, str(folder / "verdict.md"), region)
        page, summary = str(folder / "page.html"), str(folder / "report.md")
        metrics = report_run(run, self.product, "SUCCEEDED", page, summary, region)
        return FleetRun(run, shards, ledgers, (folder / "page.html").read_text(), metrics)

    def plan(self, as_of, run, folder, *, max_shards=2, **asked):
        request = PlanRequest(run, parse_moment(as_of), max_shards=max_shards, **asked)
        return plan_run(self.product, request, str(folder / "plan"), str(folder / "plan.md"))

    def _run_shard(self, shard, folder, stages) -> Ledger:
        before, pooled = folder / "plan", str(folder / "pooled")
        for stage in stages:
            after = folder / f"{shard}.{stage}"
            first = {"shard": shard, "pooled_path": pooled} if stage == STAGES[0] else {}
            run_shard(stage, str(before), str(after), str(after) + ".md", **first)
            before = after
        return Ledger.from_lines(before.read_bytes(), str(before))

    def read_plan(self, run) -> RunPlan | None:
        return read_plan(self.store, run)

    def objects(self, *, runs=False, origins=True) -> dict[str, bytes]:
        """Every object in the store by key.

        What runs left (ids, timings) only when asked for; else the index is what its segments say
        together, costs aside, and openings are left out. The records of the source files that were
        read without when those were written, and not at all where the files differ on purpose.
        """
        found = {
            info.key: without_modified(info.key, self.store.get(info.key).content)
            for info in self.store.list("")
            if (runs or not info.key.startswith(OF_RUNS)) and (origins or ORIGINS not in info.key)
        }
        if not runs:
            found[f"products/{PRODUCT}/index"] = joined_index(self.store)
        return found


def comparable(fleet: Harness, *runs: str, origins=True) -> dict[str, bytes]:
    """What two equal fleets must share: all objects but pages of HTML and runs' own folders.

    Args:
        fleet: The fleet.
        runs: Ids of runs that are called otherwise in the other fleet.
        origins: Whether the records of the files that were read must be equal, too.
    """
    ids = re.compile("|".join(map(re.escape, runs)).encode())
    return {
        key: ids.sub(b"run", content) if runs else content
        for key, content in fleet.objects(origins=origins).items()
        if not key.endswith(".html")
    }


def joined_index(store) -> bytes:
    """What the index says of every tenant, costs aside."""
    records = read_records(store, PRODUCT).values()
    return b"\n".join(to_line(replace(record, costs={})) for record in records)


def without_modified(key: str, content: bytes) -> bytes:
    """An origin without the times at which its source files were written."""
    if ORIGINS not in key:
        return content
    record = json.loads(content)
    for read in record["reads"]:
        for file in read["files"]:
            file.pop("modified")
    return canonical_json(record)


def without_costs(ledger: Ledger) -> list:
    """A ledger as plain data without what differs between equal runs: run ids and costs."""
    lines = [json.loads(line) for line in ledger.to_lines().splitlines()]
    lines[0].pop("run")
    lines[0].pop("processes", None)
    lines[0].pop("imports", None)
    for line in lines[1:]:
        for outcome in line["outcomes"]:
            outcome.pop("cost")
    return lines
