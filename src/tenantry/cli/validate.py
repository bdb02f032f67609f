"""``tenantry validate`` and ``tenantry schema``: check the specs, keep their schemas current."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from tenantry.cli.options import Output, OutputFormat, print_json
from tenantry.errors import Fault, SpecError
from tenantry.settings import load_settings
from tenantry.specs.load import list_products, load_product
from tenantry.specs.schema import schema_files
from tenantry.text import counted

_Specs = Annotated[
    Path | None,
    typer.Option(
        "--specs", help="The folder of specs. Default: TENANTRY_SPECS, else tenant_specs."
    ),
]


def validate(
    product: Annotated[
        str | None, typer.Argument(help="The product; all of them when left out.")
    ] = None,
    specs: _Specs = None,
    output: Output = OutputFormat.table,
) -> None:
    """Check every spec and print all faults: file, field, what is wrong, what to do.

    Ends with 1 when there are faults. Reads nothing but the specs.
    """
    folder, connections = _places(specs)
    tenants: dict[str, int] = {}
    faults: dict[Fault, None] = {}
    try:
        for name in (product,) if product else list_products(folder):
            tenants[name] = 0
            try:
                tenants[name] = len(load_product(folder, name, connections=connections).specs)
            except SpecError as error:
                faults |= dict.fromkeys(error.faults)
        if not tenants:
            faults[Fault(str(folder), "holds no product", "write <product>/product.yaml")] = None
    except SpecError as error:
        faults |= dict.fromkeys(error.faults)
    if output is OutputFormat.json:
        _print_json(tenants, faults)
    else:
        _print_lines(tenants, list(faults), Console(soft_wrap=True, highlight=False))
    if faults:
        raise typer.Exit(1)


def schema(
    specs: _Specs = None,
    write: Annotated[bool, typer.Option("--write", help="Write them to <specs>/schema.")] = False,
    check: Annotated[bool, typer.Option("--check", help="End with 1 unless current.")] = False,
    output: Output = OutputFormat.table,
) -> None:
    """Keep the JSON Schemas current that editors use for completion and for words on each field."""
    if write == check:
        msg = "give one of --write and --check"
        raise typer.BadParameter(msg)
    folder, connections = _places(specs)
    files = schema_files(folder, connections=connections)
    stale = [path for path, content in files.items() if not _holds(path, content)]
    for path in stale if write else ():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(files[path])
    if output is OutputFormat.json:
        names = [str(path) for path in stale]
        print_json({"schemas": len(files), "stale": names, "written": names if write else []})
    else:
        for path in stale:
            what = "written" if write else "is not current; run tenantry schema --write"
            typer.echo(f"{path}: {what}")
    if check and stale:
        raise typer.Exit(1)
    if output is OutputFormat.table:
        typer.echo(f"{len(files)} schemas are current")


def _places(specs: Path | None) -> tuple[Path, Path]:
    """Return the folder of specs and the file of connections; a folder given has its own."""
    if specs is not None:
        return specs, specs / "connections.yaml"
    settings = load_settings()
    return settings.specs, settings.connections


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _print_json(tenants: dict[str, int], faults: Iterable[Fault]) -> None:
    listed = []
    for fault in faults:
        file, _, path = fault.place.partition(": ")
        listed.append({"file": file, "path": path, "fault": fault.fault, "remedy": fault.remedy})
    report = {"faults": listed, "products": {name: {"tenants": n} for name, n in tenants.items()}}
    print_json(report)


def _print_lines(tenants: dict[str, int], faults: Sequence[Fault], console: Console) -> None:
    """Print one line a fault for programs, faults by file for people."""
    if not console.is_terminal:
        for fault in faults:
            console.print(Text(str(fault)))
    else:
        for file, group in groupby(faults, key=lambda fault: fault.place.partition(": ")[0]):
            console.print(Text(file, style="bold"))
            for fault in group:
                console.print(_line(fault))
    if faults:
        files = {fault.place.partition(": ")[0] for fault in faults}
        console.print(
            Text(f"{counted(len(faults), 'fault')} in {counted(len(files), 'file')}", "red")
        )
    for name, count in () if faults else tenants.items():
        console.print(Text(f"{name}: {counted(count, 'tenant')}, no fault", "green"))


def _line(fault: Fault) -> Text:
    line = Text("  ")
    path = fault.place.partition(": ")[2]
    line.append(f"{path}: " if path else "", style="cyan").append(fault.fault)
    return line.append(f"\n    {fault.remedy}", style="dim") if fault.remedy else line
