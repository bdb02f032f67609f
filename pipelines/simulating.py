"""Showing simulated fleets: a table or JSON, and a page."""

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from tenantry.cli.options import OutputFormat, print_json
from tenantry.simulation.cluster import Cluster
from tenantry.simulation.fleets import Answer
from tenantry.simulation.telling import (
    COLUMNS,
    find_breaches,
    make_facts,
    make_row,
    render_page,
    say_asked,
)

MOST_TENANTS = 1_000_000


def parse_sizes(text: str) -> list[int]:
    """Return the sizes of fleets that commas divide.

    Raises:
        BadParameter: One is no whole number, or out of range.
    """
    sizes = []
    for part in text.split(","):
        name = part.strip()
        if not name.isdecimal() or not 1 <= int(name) <= MOST_TENANTS:
            msg = f"--tenants: {name!r} is no number from 1 to {MOST_TENANTS:,}; write 100,1000"
            raise typer.BadParameter(msg)
        sizes.append(int(name))
    return sizes


def show(
    answers: Sequence[Answer], cluster: Cluster, output: OutputFormat, page: Path | None
) -> None:
    """Print fleets of several sizes, and write the page where one is asked for."""
    if output is OutputFormat.json:
        print_json([make_facts(answer) for answer in answers])
    else:
        console = Console(highlight=False)
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
        for name in COLUMNS:
            table.add_column(name, justify="right", no_wrap=True)
        for answer in answers:
            table.add_row(*make_row(answer))
        console.print(say_asked(answers[0].question, cluster))
        console.print(table)
        for answer in answers:
            for breach in find_breaches(answer):
                console.print(f"[red]{answer.question.tenants:,} tenants:[/red] {breach}")
    if page is not None:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(render_page(answers, cluster), encoding="utf-8")
        typer.echo(page, err=True)
