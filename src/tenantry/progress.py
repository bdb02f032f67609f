"""Progress of a shard on a terminal; silent elsewhere, where the log tells."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as RichProgress

from tenantry.ledger import Status


class Progress:
    """A bar that advances by tenant; nothing is printed unless standard error is a terminal."""

    def __init__(self, stage: str, shard: str, total: int) -> None:
        console = Console(stderr=True)
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[failed]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(f"{stage} {shard}", total=total, failed="")
        self._failed: list[str] = []

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def advance(self, tenant: str, status: Status) -> None:
        """Count one more tenant, and name it when it failed."""
        if status == "failed":
            self._failed.append(tenant)
        failed = f"[red]failed: {', '.join(self._failed)}" if self._failed else ""
        self._bar.update(self._task, advance=1, failed=failed)
