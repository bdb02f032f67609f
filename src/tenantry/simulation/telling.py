"""Simulated fleets as a table and as a page."""

import math
from collections.abc import Callable, Sequence

from tenantry.report.charts import SIDE, Chart, Dot, Tick
from tenantry.report.pages import Page
from tenantry.simulation.cluster import MOST_STATUS, Cluster
from tenantry.simulation.fleets import MOST_ARGUMENT, Answer, Question
from tenantry.times import say_seconds

COLUMNS = (
    "tenants",
    "runs",
    "shards",
    "pods",
    "wall",
    "CPU",
    "own",
    "a tenant",
    "status",
)
"""Of them `own` is the tenants' share of the CPU time, `a tenant` what one costs with all that, and
`status` what Argo stores of a run."""

_PAGE = Page("simulation.html", ("page.css", "chart.css", "card.css"))


def make_row(answer: Answer) -> tuple[str, ...]:
    """Return a fleet's figures as texts, in the order of `COLUMNS`."""
    taken = answer.taken
    return (
        f"{answer.question.tenants:,}",
        f"{answer.runs:,}",
        f"{answer.shards:,}",
        f"{taken.pods:,}",
        say_seconds(taken.wall),
        say_seconds(taken.cpu),
        f"{answer.tenant_seconds / taken.cpu:.0%}",
        f"{answer.per_tenant:.1f} s",
        f"{taken.status / 1024:.0f} KiB",
    )


def make_facts(answer: Answer) -> dict[str, float]:
    """Return a fleet's figures for programs: seconds, bytes and counts."""
    taken = answer.taken
    return {
        "tenants": answer.question.tenants,
        "runs": answer.runs,
        "shards": answer.shards,
        "pods": taken.pods,
        "wall_seconds": round(taken.wall, 1),
        "cpu_seconds": round(taken.cpu, 1),
        "tenants_cpu_seconds": answer.tenant_seconds,
        "imports_cpu_seconds": round(taken.imports, 1),
        "machinery_cpu_seconds": round(taken.machinery, 1),
        "status_bytes": taken.status,
        "argument_bytes": answer.argument,
    }


def find_breaches(answer: Answer) -> list[str]:
    """Say which limits of the backend a fleet would break, and what to change."""
    found = []
    if answer.taken.status > MOST_STATUS:
        found.append(
            f"a run's status would have {answer.taken.status:,} bytes, Argo takes {MOST_STATUS:,}: "
            "lower max_shards"
        )
    if answer.argument > MOST_ARGUMENT:
        found.append(
            f"the names of a run's shards would have {answer.argument:,} bytes, "
            f"{MOST_ARGUMENT:,} are safe: lower max_shards"
        )
    return found


def say_asked(question: Question, cluster: Cluster) -> str:
    """Say what was simulated, in a sentence or two."""
    sizes = question.sizes
    spread = f", log-normal with a spread of {sizes.spread:g}" if sizes.spread else ", all alike"
    trains = "Each is trained, " if question.trains else "None is trained, "
    windows = f"{question.windows} windows of it are predicted and judged"
    return (
        f"Tenants of {sizes.median:,} labelled rows in the median{spread}. {trains}{windows}. "
        f"Runs of at most {question.run_tenants:,} tenants and {question.max_shards} shards, "
        f"{cluster.parallel} at once with {cluster.workers} cores each, on {cluster.cores} cores; "
        f"Argo looks every {cluster.requeue:g} s."
    )


def render_page(answers: Sequence[Answer], cluster: Cluster) -> str:
    """Return the page: how wall time and cost grow with the fleet, and every figure."""
    notes = (
        "From start to the end of the last run. Flat while tenants fit into the shards' wait for "
        "Argo; then as their work grows.",
        "Kubernetes, imports and the tenants' own work. It falls while shards fill up.",
    )
    charts = (
        _chart("Wall time, minutes", answers, lambda one: one.taken.wall / 60),
        _chart("CPU-seconds a tenant", answers, lambda one: one.per_tenant),
    )
    return _PAGE.render(
        asked=say_asked(answers[0].question, cluster),
        charts=tuple(zip(charts, notes, strict=True)),
        columns=COLUMNS,
        rows=[make_row(answer) for answer in answers],
        limits="CPU is that of all pods, own the tenants' share of it, a tenant what one costs "
        "with all the rest; status is what Argo stores of a run, of which it takes "
        f"{MOST_STATUS >> 10:,} KiB.",
    )


def _chart(text: str, answers: Sequence[Answer], of: Callable[[Answer], float]) -> Chart:
    """Draw a figure against the number of tenants, both axes logarithmic."""
    x, x_ticks = _axis([answer.question.tenants for answer in answers])
    y, y_ticks = _axis([of(answer) for answer in answers])
    dots = tuple(
        Dot(
            x=x(answer.question.tenants),
            y=round(SIDE - y(of(answer)), 2),
            text=f"{answer.question.tenants:,} tenants: {of(answer):,.3g}",
        )
        for answer in answers
    )
    return Chart(
        text=text,
        x_label="tenants",
        y_label="",
        x_ticks=x_ticks,
        y_ticks=tuple(Tick(round(SIDE - tick.at, 2), tick.text) for tick in y_ticks),
        line=" ".join(f"{dot.x:g},{dot.y:g}" for dot in dots),
        dots=dots,
    )


def _axis(values: Sequence[float]) -> tuple[Callable[[float], float], tuple[Tick, ...]]:
    """Return where a value lies on a logarithmic axis, and a mark at each power of ten."""
    first = math.floor(math.log10(min(values)))
    last = max(math.ceil(math.log10(max(values))), first + 1)

    def place(value: float) -> float:
        return round(SIDE * (math.log10(value) - first) / (last - first), 2)

    powers = [10.0**power for power in range(first, last + 1)]
    return place, tuple(Tick(place(power), _short(power)) for power in powers)


def _short(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
