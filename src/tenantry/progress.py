"""Progress of a shard on a terminal; silent elsewhere, where the log tells."""

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self

from tenantry.ledger import Status

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


class Progress:
    """A bar that advances by tenant; nothing is printed unless standard error is a terminal."""

    def __init__(self, stage: str, shard: str, total: int) -> None:
        self._bar = _make_bar(f"{stage} {shard}", total) if sys.stderr.isatty() else None
        self._failed: list[str] = []

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def advance(self, tenant: str, status: Status) -> None:
        """Count one more tenant, and name it when it failed."""
        if status == "failed":
            self._failed.append(tenant)
        failed = f"[red]failed: {', '.join(self._failed)}" if self._failed else ""
        if self._bar:
            self._bar.update(self._bar.task_ids[0], advance=1, failed=failed)


def _make_bar(title: str, total: int) -> "RichProgress":
    # a tenth of a CPU-second a task, where nobody would see the bar
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    failed = TextColumn("{task.fields[failed]}")
    bar = Progress(*columns, failed, console=Console(stderr=True))
    bar.add_task(title, total=total, failed="")
    return bar
