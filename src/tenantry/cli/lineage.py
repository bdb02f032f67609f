"""``tenantry lineage``: where a thing in the store comes from, and what it influenced."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from tenantry.cli.options import Output, OutputFormat, RegionName, print_json
from tenantry.errors import Fault, SpecError
from tenantry.lineage.backward import trace_back
from tenantry.lineage.forward import trace_forward, trace_source
from tenantry.lineage.nodes import Node, State
from tenantry.lineage.shelf import Shelf
from tenantry.places import parse_key
from tenantry.regions import store_of_key
from tenantry.settings import load_settings
from tenantry.text import plain

_STYLES: dict[State, str] = {
    "there": "",
    "outside": "dim",
    "collected": "yellow",
    "erased": "magenta",
    "missing": "bold red",
    "unreadable": "bold red",
}
_LONG = 3
"""Predictions or files side by side from which a tree shows only the first and the last."""

_FOLDED = ("prediction", "file", "judgement")
_SHORT = ("sha256", "fingerprint", "digest", "file_digest", "spec_digest", "definition")
"""Facts that a tree cuts to twelve digits; JSON has them whole."""


def lineage(
    key: Annotated[
        str,
        typer.Argument(
            help="A key in the store: a prediction, a model, a snapshot, a judgement, a report, a "
            "pooled model, a run; or, with --forward, a source file's name."
        ),
    ],
    forward: Annotated[
        bool, typer.Option("--forward", "-f", help="What it influenced, not what it came from.")
    ] = False,
    product: Annotated[
        str, typer.Option("--product", help="Of a source file: the product that reads it.")
    ] = "",
    tenant: Annotated[
        str, typer.Option("--tenant", help="Of a source file: only this tenant's snapshots.")
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Show long rows of predictions and files whole.")
    ] = False,
    region: RegionName = "",
    output: Output = OutputFormat.table,
) -> None:
    """Trace a thing back to model, snapshot, source files, spec, code and run; or forward.

    Reads the store, writes nothing. What was collected or erased is named as such. The key may be
    an address below the store's own, too.

    Of a prediction it says whether it is in force and in sample, and which champion reigned and
    why. Of a pooled model it proves whose rows are in it.
    """
    store = store_of_key(load_settings(), key, region)
    shelf, key = Shelf(store), key.removeprefix(f"{store.url.rstrip('/')}/")
    place = parse_key(key)
    if place is not None:
        node = trace_forward(shelf, place) if forward else trace_back(shelf, place)
    elif forward and product:
        node = trace_source(shelf, product, key, tenant=tenant)
    else:
        remedy = "give a key as `tenantry show -o json` prints them"
        remedy += ", or a source file's name with --forward and --product"
        raise SpecError([Fault(key, "is no key of the store", remedy)])
    if output is OutputFormat.json:
        print_json(node.to_facts())
        return
    Console(highlight=False).print(_tree(node, whole=everything))
    if node.state in ("missing", "unreadable") and not node.below:
        raise typer.Exit(1)


def _tree(node: Node, *, whole: bool) -> Tree:
    tree = Tree(_label(node))
    for below in _folded(node.below, whole=whole):
        tree.add(_tree(below, whole=whole) if isinstance(below, Node) else Text(below, "dim"))
    return tree


def _folded(nodes: Sequence[Node], *, whole: bool) -> Iterable[Node | str]:
    """Yield the nodes; of a long row of equal kind the first, how many follow, and the last."""
    for (kind, _), alike in groupby(nodes, key=lambda node: (node.kind, node.relation)):
        row = list(alike)
        if whole or kind not in _FOLDED or len(row) <= _LONG:
            yield from row
            continue
        yield row[0]
        yield f"… {len(row) - 2:,} more, --all shows them"
        yield row[-1]


def _label(node: Node) -> Text:
    label = Text(f"{node.relation} " if node.relation else "", style="dim")
    label.append(f"{node.kind} ", style="bold")
    is_digest = node.kind in ("snapshot", "features", "chunk")
    label.append(node.name[:12] if is_digest else plain(node.name))
    if node.state not in ("there", "outside"):
        label.append(f"  {node.state}", style=_STYLES[node.state])
    for name, value in node.facts.items():
        if value not in ("", ()):
            label.append(f"\n  {name.replace('_', ' ')}: ", style="dim")
            label.append(plain(_say(name, value)))
    if node.key:
        label.append(f"\n  {plain(node.key)}", style="dim")
    return label


def _say(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list | tuple):
        return ", ".join(value) or "none"
    return str(value)[:12] if name in _SHORT and "-" not in str(value)[:8] else str(value)
