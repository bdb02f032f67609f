"""All that is measured on one machine in a short form: `make bench`, a quarter of an hour.

Each part runs by itself, one after the other, and prints its own table with ratios to a bare
script or a peer of the same run; what each promises is gathered at the end, below the machine's
figures. ``PARTS="scoring planning"`` runs some of them.
"""

import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tenantry.cpu import children_seconds

PARTS = {
    "scoring": ("benchmarks.scoring", "--rows", "1000000"),
    "scale": ("benchmarks.scale", "--tenants", "100"),
    "carriers": ("benchmarks.scale", "--carriers"),
    "planning": ("benchmarks.planning",),
    "explaining": ("benchmarks.explaining", "--rows", "200000"),
}
_PROMISE = re.compile(r"^(PASS|FAIL) (.*): ([^:]*)$", re.MULTILINE)


@dataclass(frozen=True)
class Told:
    """What a part said.

    Attributes:
        name: Which part.
        kept: Whether all its promises hold.
        promises: Verdict, promise and figure of each.
        seconds: How long it took.
        cpu: CPU-seconds of it.
    """

    name: str
    kept: bool
    promises: tuple[tuple[str, str, str], ...]
    seconds: float
    cpu: float


def main() -> int:
    """Run the parts; return 1 when a promise is broken."""
    names = sys.argv[1:] or list(PARTS)
    if unknown := set(names) - set(PARTS):
        sys.stderr.write(f"no such part: {', '.join(sorted(unknown))}; {', '.join(PARTS)}\n")
        return 2
    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    console.print(f"{machine()}; load {os.getloadavg()[0]:.1f} before")
    told = [_run(name, console) for name in names]
    console.print(_table(told))
    console.print(f"{machine()}; load {os.getloadavg()[0]:.1f} after")
    return 0 if all(one.kept for one in told) else 1


def machine() -> str:
    """Say what the machine is: cores, processor, Python."""
    return f"{os.cpu_count()} cores of {_processor()}, Python {platform.python_version()}"


def _processor() -> str:
    try:
        listed = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*: (.*)$", listed, re.MULTILINE)
    return found[1] if found else platform.machine()


def _run(name: str, console: Console) -> Told:
    """Run a part in a process of its own, and show what it prints once it has ended."""
    console.rule(name)
    began, used = time.monotonic(), children_seconds()
    done = subprocess.run(  # noqa: S603 - our own modules
        [sys.executable, "-m", *PARTS[name]], capture_output=True, text=True, check=False
    )
    console.print(done.stdout.rstrip(), markup=False)
    if done.returncode:
        console.print(done.stderr.rstrip()[-2000:], markup=False)
    return Told(
        name=name,
        kept=done.returncode == 0,
        promises=tuple(find_promises(done.stdout)),
        seconds=time.monotonic() - began,
        cpu=children_seconds() - used,
    )


def find_promises(printed: str) -> Iterator[tuple[str, str, str]]:
    """Yield verdict, promise and figure of each line of `promises.report`, wrapped ones too."""
    lines = re.sub(r"\n(?!PASS|FAIL|\n)", " ", printed)
    for verdict, text, found in _PROMISE.findall(lines):
        yield verdict, " ".join(text.split()), found.strip()


def _table(told: list[Told]) -> Table:
    table = Table("part", "", "promise", "measured", title="What was promised")
    for one in told:
        took = f"{one.name} ({one.seconds:.0f} s, {one.cpu:.0f} CPU-s)"
        for verdict, text, found in one.promises or (("PASS" if one.kept else "FAIL", "", ""),):
            style = "green" if verdict == "PASS" else "red"
            table.add_row(took, f"[{style}]{verdict}[/]", text, found)
            took = ""
    return table


if __name__ == "__main__":
    sys.exit(main())
