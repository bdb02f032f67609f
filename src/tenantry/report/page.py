"""The fleet on one self-contained page: nothing is fetched, nothing in the data becomes markup."""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from tenantry import layout
from tenantry.fleet import STATES, FleetState
from tenantry.report import rows
from tenantry.report.summary import figures, judge_run


@dataclass(frozen=True)
class Tile:
    """A total of the run."""

    name: str
    figure: str
    tone: str = ""


def render_page(state: FleetState, status: str) -> str:
    """Render the fleet after a run.

    The page may stand anywhere; its links to objects in the store work where it lies in the store
    itself, at `layout.fleet_report`.

    Args:
        state: The fleet as the run left it.
        status: What Kubeflow says of the run.
    """
    as_of = state.plan.as_of if state.plan else None
    made = [rows.make_row(member, as_of) for member in state.members]
    return _template().render(
        title=(state.plan.title if state.plan else state.product) or "The fleet",
        state=state,
        as_of=rows.day(as_of) if as_of else "",
        verdict=judge_run(state, status),
        tiles=_tiles(state),
        rows=made,
        troubled=[row for row in made if row.member.failures]
        + [row for row in made if row.member.unfinished],
        reasons=rows.group_reasons(state),
        costs=rows.split_costs(state) if state.plan else (),
        states=[(name, words) for name, words in STATES.items() if state.having(name)],
        up=_way_up(state.run),
        style=_asset("fleet.css"),
        script=_asset("fleet.js"),
        style_hash=_digest(_asset("fleet.css")),
        script_hash=_digest(_asset("fleet.js")),
    )


def _tiles(state: FleetState) -> tuple[Tile, ...]:
    numbers = figures(state)
    if state.plan is None:
        reigning = sum(member.champion is not None for member in state.members)
        return (
            Tile("tenants", f"{numbers['tenants']:,}"),
            Tile("with a champion", f"{reigning:,}"),
        )
    tones = {name: "bad" for name in ("failed", "unknown") if numbers[name]}
    words = {
        "tenants": "tenants",
        "trained": "models trained",
        "promoted": "promoted",
        "windows": "windows predicted",
        "rows": "rows predicted",
        "judged": "windows judged",
        "failed": "failed",
        "unknown": "unknown",
        "cpu_seconds": "CPU seconds",
    }
    return tuple(
        Tile(text, f"{numbers[name]:,.0f}", tones.get(name, "")) for name, text in words.items()
    )


def _way_up(run: str) -> str:
    """Return the relative path from the page's place in the store to the store's root."""
    return "../" * layout.fleet_report(run).count("/")


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("tenantry.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["span"] = rows.span
    return environment.get_template("fleet.html")


@cache
def _asset(name: str) -> str:
    return files("tenantry.report").joinpath("templates", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    """Return the hash by which the page's policy lets this very text run."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
