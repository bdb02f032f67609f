"""``tenantry plan --diff``: what a change of specs would do to the next run."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tenantry.consequences import KINDS, Consequence, Consequences, Totals, foresee
from tenantry.errors import Fault, SpecError
from tenantry.request import PlanRequest
from tenantry.settings import Settings
from tenantry.specs.load import Fleet, list_products, load_product
from tenantry.specs.revisions import find_commit, specs_at
from tenantry.store.open import open_store
from tenantry.summaries import as_text, table
from tenantry.surveys import survey
from tenantry.text import plain
from tenantry.times import format_moment

_NAMES = 8
_ROWS = 40
"""Lines shown at most; JSON has every tenant."""

_FIELDS = 4
_STYLES = {"added": "green", "removed": "red", "retired": "red", "affected": "dim"}


def find_consequences(
    settings: Settings, product: str, revision: str, request: PlanRequest
) -> Consequences:
    """Compare the specs of a Git revision with those of the working tree; writes nothing.

    Raises:
        SpecError: Either are wrong, or there is no such revision.
        PlanError: The specs of the working tree, store and request contradict each other.
    """
    after = load_product(settings.specs, product, connections=settings.connections)
    commit = find_commit(settings.specs, revision)
    with specs_at(settings.specs, commit) as folder:
        before = _load_before(folder, product, revision, settings)
    found = survey(open_store(settings, request.region), product)
    return foresee(request, before, after, found, of=(revision, commit))


def _load_before(folder: Path, product: str, revision: str, settings: Settings) -> Fleet | None:
    """Load a product as a revision has it; None where it did not exist then."""
    if product not in list_products(folder):
        return None
    own = folder / "connections.yaml"
    try:
        return load_product(
            folder, product, connections=own if own.is_file() else settings.connections
        )
    except SpecError as error:
        faults = (Fault(f"{revision}: {one.place}", one.fault, one.remedy) for one in error.faults)
        raise SpecError(faults) from None


# --- text -----------------------------------------------------------------------------------------


def print_consequences(found: Consequences, console: Console) -> None:
    """Print what a change would do: by tenants that it does the same to, then in all."""
    title = f"{found.product}: {_title(found)}"
    if found.tenants:
        shown = Table(title=title, title_justify="left")
        for name in ("change", "tenants", "in the spec", "what the next run does", "who"):
            shown.add_column(
                name, overflow="fold", justify="right" if name == "tenants" else "left"
            )
        for row in _rows(found.tenants):
            shown.add_row(*map(Text, row), style=_STYLES.get(row[0], ""))
        console.print(shown)
    else:
        console.print(Text(f"{title}: no tenant is concerned."))
    for note in found.notes:
        console.print(Text(plain(note), style="yellow"))
    shown = Table("the next run", "before", "after", "change")
    for name in ("before", "after", "change"):
        next(one for one in shown.columns if one.header == name).justify = "right"
    for row in _totals(found.before, found.after):
        shown.add_row(*map(Text, row))
    console.print(shown)
    console.print("Nothing was written.")


def to_markdown(found: Consequences) -> str:
    """Write the same as Markdown, for the comment of a pull request."""
    head = f"### What this does to `{found.product}`\n\n{as_text(_title(found))}.\n\n"
    notes = "".join(f"> {as_text(note)}\n\n" for note in found.notes)
    columns = ("the next run", "before", "after", "change")
    totals = table(columns, _totals(found.before, found.after))
    if not found.tenants:
        return f"{head}{notes}No tenant is concerned.\n\n{totals}"
    names = ("change", "tenants", "in the spec", "what the next run does", "who")
    return f"{head}{notes}{totals}\n{table(names, _rows(found.tenants))}"


def _title(found: Consequences) -> str:
    moment = format_moment(found.as_of)
    revision = plain(found.revision)
    return f"specs since {revision} ({found.commit[:12]}), for a run as of {moment}"


def _rows(tenants: Sequence[Consequence]) -> Sequence[tuple[str, ...]]:
    """Return a row for tenants to which the same happens; what is past the last is counted."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for one in tenants:
        alike.setdefault((one.kind, _fields(one), one.effect), []).append(one.tenant)
    order = sorted(alike, key=lambda row: (KINDS.index(row[0]), -len(alike[row]), row))
    rows = [
        (
            kind,
            f"{len(alike[kind, fields, effect]):,}",
            fields,
            effect,
            _who(alike[kind, fields, effect]),
        )
        for kind, fields, effect in order
    ]
    rest = sum(len(alike[row]) for row in order[_ROWS:])
    more = [("…", f"{rest:,}", "", f"{len(order) - _ROWS} more ways; -o json has all", "")]
    return rows[:_ROWS] + (more if rest else [])


def _fields(one: Consequence) -> str:
    words = [field.words for field in one.fields[:_FIELDS]]
    more = len(one.fields) - _FIELDS
    return plain("; ".join(words) + (f"; and {more} more" if more > 0 else ""))


def _who(names: Sequence[str]) -> str:
    more = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {more:,} more" if more > 0 else "")


def _totals(before: Totals, after: Totals) -> Iterator[tuple[str, ...]]:
    names = {
        "trained": "tenants trained",
        "predicted": "tenants predicted",
        "windows": "windows predicted",
        "judged": "windows judged",
        "retired": "tenants retired",
        "shards": "shards",
        "cpu_seconds": "CPU-seconds, estimated",
    }
    for name, words in names.items():
        was, now = getattr(before, name), getattr(after, name)
        yield words, f"{was:,.0f}", f"{now:,.0f}", _signed(now - was)
    zones = [", ".join(side.pooled) or "none" for side in (before, after)]
    yield "pooled models trained", *zones, "" if zones[0] == zones[1] else "changed"


def _signed(change: float) -> str:
    return f"{change:+,.0f}" if round(change) else "0"
