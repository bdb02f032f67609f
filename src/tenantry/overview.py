"""A plan in few lines: the same work for the same reason is one line, however many tenants."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from tenantry.plans import RunPlan
from tenantry.text import counted

Kind = Literal[
    "retire",
    "pooled",
    "rollback",
    "train",
    "predict",
    "backfill",
    "monitor",
    "publish",
    "left",
    "nothing",
]

KINDS: tuple[Kind, ...] = get_args(Kind)
"""What a line can be about, in the order of the flow; what is not done comes last."""

LINES = 40
"""Lines shown at most, unless all are asked for."""

_MOMENT = re.compile(r"\d{8}T\d{6}Z-\d{8}T\d{6}Z|\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?")
_NUMBER = re.compile(r"\d[\d,.]*")


@dataclass(frozen=True)
class Line:
    """Tenants for which the same is to be done, or not, for the same reason.

    Attributes:
        kind: What it is about.
        why: The reason; with ``…`` for what differs where several are shown as one.
        tenants: Whom it concerns, by name; zones for `pooled`.
        windows: How many windows, over all of them.
    """

    kind: Kind
    why: str
    tenants: tuple[str, ...]
    windows: int = 0


def make_lines(made: RunPlan, most: int = LINES) -> tuple[Line, ...]:
    """Return the lines of a plan, by what they are about, those of most tenants first.

    Where they are more than `most`, reasons that differ in moments and numbers only are one, and
    what is still too much is counted in a last line.
    """
    lines = _merge(_lines(made))
    if len(lines) > most:
        lines = _merge(_without_figures(line) for line in lines)
    if len(lines) > most:
        kept, rest = lines[: most - 1], lines[most - 1 :]
        names = tuple(sorted({name for line in rest for name in line.tenants}))
        windows = sum(line.windows for line in rest)
        lines = (*kept, Line(rest[0].kind, f"{len(rest)} more reasons", names, windows))
    return lines


def _lines(made: RunPlan) -> Iterator[Line]:
    for zone, why in made.pooled.items():
        yield Line("pooled", why, (zone,))
    for tenant, planned in made.tenants.items():
        for due in planned.due:
            yield Line(due.action, due.reason, (tenant,), len(due.windows))
        if planned.waiting:
            windows = sum(len(due.windows) for due in planned.waiting)
            yield Line("left", planned.note, (tenant,), windows)
        elif planned.note or not planned.due:
            kind: Kind = "left" if planned.due or planned.waits else "nothing"
            yield Line(kind, planned.note, (tenant,))


def _without_figures(line: Line) -> Line:
    why = _NUMBER.sub("…", _MOMENT.sub("…", line.why))
    return Line(line.kind, why, line.tenants, line.windows)


def _merge(lines: Iterable[Line]) -> tuple[Line, ...]:
    tenants: dict[tuple[Kind, str], list[str]] = {}
    windows: dict[tuple[Kind, str], int] = {}
    for line in lines:
        place = line.kind, line.why
        tenants.setdefault(place, []).extend(line.tenants)
        windows[place] = windows.get(place, 0) + line.windows
    merged = [
        Line(kind, why, tuple(sorted(names)), windows[kind, why])
        for (kind, why), names in tenants.items()
    ]
    return tuple(
        sorted(merged, key=lambda line: (KINDS.index(line.kind), -len(line.tenants), line.why))
    )


def say_counts(made: RunPlan) -> str:
    """Say in a sentence what a run would do, and what it is estimated to take."""
    lines = _merge(_lines(made))
    parts = []
    for kind in KINDS[:-2]:
        mine = [line for line in lines if line.kind == kind]
        count, windows = (sum(f(line) for line in mine) for f in (_tenants, _windows))
        if mine:
            noun = "pooled model" if kind == "pooled" else "tenant"
            inside = f" ({counted(windows, 'window')})" if windows else ""
            verb = {"pooled": "train", "rollback": "roll back"}.get(kind, kind)
            parts.append(f"{verb} {counted(count, noun)}{inside}")
    waiting = sum(bool(planned.waiting) for planned in made.tenants.values())
    if waiting:
        parts.append(f"leave {counted(waiting, 'tenant')} for the next run")
    return ", ".join(parts) or "nothing is due"


def say_cost(made: RunPlan) -> str:
    """Say what a run is estimated to take, and in how many shards."""
    said = f"{counted(len(made.shards), 'shard')}, about {made.cpu_seconds:,.0f} CPU-seconds"
    if made.cpu_budget:
        said += f" of {made.cpu_budget:,.0f} allowed"
    late = sum(
        planned.promised is not None and planned.promised < made.as_of
        for planned in made.tenants.values()
    )
    return said + (f"; {counted(late, 'tenant')} past what was promised" if late else "")


def say_straggler(made: RunPlan) -> str:
    """Say whether one tenant bounds how long a run takes, however many shards there are.

    It does when it costs `_STRAGGLES` times what the shards cost on average, or more; runs that are
    over in a minute are passed over. Empty when none does.
    """
    costs = {name: one.cpu_seconds for name, one in made.tenants.items() if one.shard and one.due}
    dearest = max(costs, key=lambda name: (costs[name], name), default="")
    if len(made.shards) < 2 or costs[dearest] < _SHORT:
        return ""
    total = sum(costs.values())
    if costs[dearest] * len(made.shards) < _STRAGGLES * total:
        return ""
    return (
        f"{dearest} alone takes {costs[dearest]:,.0f} of the tenants' {total:,.0f} CPU-seconds: it "
        "is started first, and more shards make the run no shorter"
    )


_STRAGGLES, _SHORT = 2.0, 60.0


def _tenants(line: Line) -> int:
    return len(line.tenants)


def _windows(line: Line) -> int:
    return line.windows
