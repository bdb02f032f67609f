"""Watch a run: Kubeflow tells its state, the ledgers in the store how far each shard is.

Kubeflow may show a run as RUNNING for ever, and is late with its tasks in big runs. So a run of
which neither state nor ledgers move for a while is called stalled.
"""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipelines.kubeflow import Kubeflow
from tenantry.errors import StoreError
from tenantry.fleet import FleetState, read_run
from tenantry.ledger import STAGES
from tenantry.store.contract import ObjectStore

Ending = Literal["succeeded", "failed", "stalled"]

_WELL, _ENDED = "SUCCEEDED", {"SUCCEEDED", "FAILED", "CANCELED", "SKIPPED"}


@dataclass(frozen=True)
class ShardProgress:
    """How far a shard is.

    Attributes:
        shard: Its name.
        stage: The last stage that it has left behind; empty before the first.
        tenants: Tenants in it.
        failed: Those that failed.
    """

    shard: str
    stage: str
    tenants: int
    failed: int


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        state: What Kubeflow says.
        shards: Each shard's progress; none before the plan.
        failures: Tenant → what happened, for those that failed.
        note: Why the ledgers could not be read; empty when they were.
    """

    state: str
    shards: tuple[ShardProgress, ...] = ()
    failures: tuple[tuple[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Patience:
    """How long to wait.

    Attributes:
        stalled_after: Without any progress for so long a run is stalled.
        every: Seconds between two looks.
        clock: Tells the time, seconds.
        sleep: Waits, seconds.
    """

    stalled_after: timedelta
    every: float = 5.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep


def read_progress(kubeflow: Kubeflow, store: ObjectStore, run_id: str) -> Progress:
    """Look how far a run is; a store that does not answer is noted, not raised.

    Raises:
        KubeflowError: Kubeflow's API does not answer.
    """
    state = str(kubeflow.run(run_id).state or "PENDING")
    try:
        found = read_run(store, run_id)
    except StoreError as error:
        return Progress(state, note=str(error))
    if found is None:
        return Progress(state)
    failures = tuple(
        (one.tenant, f"{failure.stage}: {failure.message}")
        for one in found.having("failed")
        for failure in one.failures[:1]
    )
    return Progress(state, _shards(found), failures)


def watch(
    look: Callable[[], Progress], show: Callable[[Progress], object], patience: Patience
) -> Ending:
    """Look at a run until it has ended, or stalls.

    Args:
        look: Tells how far it is.
        show: Called with what changed.
        patience: How long to wait.
    """
    last, moved = None, patience.clock()
    while True:
        found = look()
        if found != last:
            show(found)
            last, moved = found, patience.clock()
        if found.state in _ENDED:
            return "succeeded" if found.state == _WELL else "failed"
        if patience.clock() - moved >= patience.stalled_after.total_seconds():
            return "stalled"
        patience.sleep(patience.every)


def watch_in_terminal(look: Callable[[], Progress], patience: Patience, console: Console) -> Ending:
    """Watch a run and draw it: a table that changes in a terminal, lines elsewhere."""
    seen: list[Progress] = []
    with (
        Live(console=console, auto_refresh=False) if console.is_terminal else nullcontext() as live
    ):

        def draw(found: Progress) -> None:
            seen.append(found)
            if live:
                live.update(as_table(found), refresh=True)
            else:
                console.print(in_line(found))

        ending = watch(look, draw, patience)
    for tenant, what in seen[-1].failures:
        console.print(Text(f"{tenant}: {what}", "red"))
    if ending == "stalled":
        minutes = patience.stalled_after.total_seconds() / 60
        words = f"stalled: nothing has moved for {minutes:.0f} minutes; see docs/gitops.md"
        console.print(Text(words, "red"))
    return ending


def in_line(found: Progress) -> Text:
    """Return progress in one line."""
    parts = [f"{one.shard} {one.stage or 'waits'}" for one in found.shards]
    failed = sum(one.failed for one in found.shards)
    text = f"{found.state}: {', '.join(parts) or found.note or 'no plan yet'}"
    return Text(f"{text}; {failed} failed" if failed else text)


def as_table(found: Progress) -> Group:
    """Return progress as a table, a line a shard."""
    table = Table("shard", "done", "tenants", "failed")
    for one in found.shards:
        done = STAGES.index(one.stage) + 1 if one.stage else 0
        bar = "█" * done + "░" * (len(STAGES) - done)
        failed = Text(str(one.failed), "red" if one.failed else "")
        table.add_row(Text(one.shard), f"{bar} {one.stage}", str(one.tenants), failed)
    head = Text(found.state, "bold")
    return Group(head, table) if found.shards else Group(head, Text(found.note or "no plan yet"))


def _shards(found: FleetState) -> tuple[ShardProgress, ...]:
    plan = found.plan
    made = []
    for name in plan.shards if plan else ():
        members = [one for one in found.members if one.planned.shard == name]
        stages = {outcome.stage for one in members for outcome in one.outcomes}
        last = next((stage for stage in reversed(STAGES) if stage in stages), "")
        failed = sum(bool(one.failures) for one in members)
        made.append(ShardProgress(name, last, len(members), failed))
    return tuple(made)
