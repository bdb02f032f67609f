"""The fleet on one self-contained page: nothing is fetched, nothing in the data becomes markup."""

from collections.abc import Sequence
from dataclasses import dataclass

from tenantry import layout
from tenantry.bill import Charge
from tenantry.fleet import FleetState
from tenantry.members import STATES, Member
from tenantry.monitoring.judgements import IN_WORDS
from tenantry.report import rows
from tenantry.report.alarms import list_alarms
from tenantry.report.freshness import tell_freshness
from tenantry.report.heatmap import SIGNS, map_weeks
from tenantry.report.pages import Page
from tenantry.report.summary import figures, judge_run
from tenantry.report.words import day, short, span

_DETAILED = 300
"""Tenants that unfold to details, those in trouble first; of the others there is one line."""

_TROUBLED = 100
"""Tenants whose failures are told above the table; the rest is counted."""

_ALARMS = 50
"""Alarms that are listed, the worst; the rest is counted."""

_PAGE = Page(
    "fleet.html",
    ("page.css", "fleet.css", "monitoring.css"),
    ("fleet.js", "monitoring.js"),
    span=span,
    short=short,
)


@dataclass(frozen=True)
class Tile:
    """A total of the run."""

    name: str
    figure: str
    tone: str = ""


def render_page(
    state: FleetState, status: str, sent: str = "", charges: Sequence[Charge] = ()
) -> str:
    """Render the fleet after a run.

    The page may stand anywhere; its links to objects in the store work where it lies in the store
    itself, at `layout.fleet_report`.

    Args:
        state: The fleet as the run left it.
        status: What Kubeflow says of the run.
        sent: What became of the run's alerts, in a sentence; empty when there was nothing to send.
        charges: What the run cost each tenant; only its own work is shown without.
    """
    as_of = state.plan.as_of if state.plan else None
    charged = {one.tenant: one for one in charges}
    made = [rows.make_row(member, as_of, charged.get(member.tenant)) for member in state.members]
    alarms = tuple(list_alarms(state))
    troubled = [row for row in made if row.member.failures]
    troubled += [row for row in made if row.member.unfinished]
    return _PAGE.render(
        title=(state.plan.title if state.plan else state.product) or "The fleet",
        state=state,
        as_of=day(as_of) if as_of else "",
        verdict=judge_run(state, status),
        tiles=_tiles(state),
        rows=made,
        detailed=_pick_detailed(state),
        troubled=troubled[:_TROUBLED],
        more_troubled=max(len(troubled) - _TROUBLED, 0),
        sent=sent,
        alarms=alarms[:_ALARMS],
        further=max(len(alarms) - _ALARMS, 0),
        heat=map_weeks(one.judgement for one in state.members if one.judgement),
        freshness=tell_freshness(state),
        signs=[(status, sign, IN_WORDS[status]) for status, sign in SIGNS.items()],
        reasons=rows.group_reasons(state),
        costs=rows.split_costs(state) if state.plan else (),
        bill="bill.csv" if charges and state.plan else "",
        states=[(name, words) for name, words in STATES.items() if state.having(name)],
        up=_way_up(state.run),
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


def _pick_detailed(state: FleetState) -> frozenset[str]:
    """Return the tenants that the page tells all of."""
    states, statuses = list(STATES), list(SIGNS)

    def trouble(one: Member) -> tuple[int, int, str]:
        judged = statuses.index(one.judgement.status) if one.judgement else len(statuses)
        return states.index(one.state), judged, one.tenant

    ordered = sorted(state.members, key=trouble)
    return frozenset(one.tenant for one in ordered[:_DETAILED])


def _way_up(run: str) -> str:
    """Return the relative path from the page's place in the store to the store's root."""
    return "../" * layout.fleet_report(run).count("/")
