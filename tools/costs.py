"""Where a local run's CPU time went: the tenants' stages, the pooled model, and all the rest."""

from collections import defaultdict
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from pipelines.local import LocalRun
from tenantry.fleet import read_fleet
from tenantry.report.summary import stage_costs
from tenantry.store.contract import ObjectStore

REST = "imports, processes, Kubeflow's executor"


def print_costs(runs: Sequence[LocalRun], store: ObjectStore, console: Console) -> None:
    """Print the CPU seconds of `runs` by what they were spent on."""
    spent: defaultdict[str, float] = defaultdict(float)
    for run in runs:
        if run.run:
            work = stage_costs(read_fleet(store, run.run))
            for name, seconds in work.items():
                spent[name] += seconds
            spent[REST] += run.cpu_seconds - sum(work.values())
    table = Table(title="CPU seconds", title_justify="left")
    table.add_column("spent on")
    table.add_column("seconds", justify="right")
    for name, seconds in spent.items():
        table.add_row(name, f"{seconds:.1f}")
    table.add_row("all", f"{sum(run.cpu_seconds for run in runs):.1f}", style="bold")
    console.print(table)
