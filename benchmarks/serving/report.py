"""What a benchmark found, beside what was wanted."""

import os
import sys

from rich.console import Console
from rich.table import Table


class Report:
    """Figures, told as they come and in a table at the end.

    Attributes:
        missed: How many are not as wanted.
    """

    def __init__(self) -> None:
        self._rows: list[tuple[str, str, str]] = []
        self.missed = 0

    def tell(
        self,
        what: str,
        found: float,
        unit: str,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
    ) -> None:
        """Add a figure."""
        is_missed = (at_most is not None and found > at_most) or (
            at_least is not None and found < at_least
        )
        self.missed += is_missed
        wanted = f"≤ {at_most:g}" if at_most is not None else ""
        wanted = f"≥ {at_least:g}" if at_least is not None else wanted
        self._rows.append((what, f"{found:,.4g} {unit}", f"{wanted}{' MISSED' * is_missed}"))
        load = f"load {os.getloadavg()[0]:.1f}"
        sys.stderr.write(f"{what}: {self._rows[-1][1]} {self._rows[-1][2]} ({load})\n")

    def show(self) -> None:
        """Print the table."""
        table = Table("", "found", "wanted")
        for row in self._rows:
            table.add_row(*row)
        console = Console(width=None if sys.stdout.isatty() else 110)
        console.print(table)
        console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
