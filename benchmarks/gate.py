"""Measure by simulation how often the gate is right: `make bench-gate`.

Both models know the truth but for noise. Half of its variance is common to both, since they learn
from much the same rows; a twentieth is common to a day's rows. How much noise makes a model worse
by so much is computed, so that the gains in the tables are true ones. All is seeded: the same
tables come out every time.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

import numpy as np
from rich.console import Console
from rich.table import Table

from tenantry.gate import Holdout, Incumbent, decide
from tenantry.metrics import Floats
from tenantry.specs.learning import Gate, Model

DAYS = 28
SIZES = (56, 560, 4200)
"""Labelled rows of the holdout: of a small, a mid-sized and a large tenant."""
GAINS = (0.02, 0.01, 0.0, -0.01, -0.02, -0.03)
"""By how much the challenger is better, in log loss."""
LOCAL_GAIN = 0.01
LOCAL_LOSSES = (0.0, 0.02, 0.05, 0.1)
"""By how much a challenger that is better by `LOCAL_GAIN` over all is worse in one slice."""
CHAMPION_LOSS = 0.06
"""Log loss of the champion above that of the truth."""
COMMON = 0.5
"""Part of the noise's variance that both models share."""
OF_DAY = 0.05
"""Part of the noise's variance that the rows of a day share, in each model."""
SLICES = {
    "origin": {"EWR": 0.45, "JFK": 0.25, "LGA": 0.3},
    "hour": {"00-05": 0.05, "06-11": 0.4, "12-17": 0.35, "18-23": 0.2},
}
"""How rows fall into slices; besides, a month ends in the middle."""
WORST = ("origin", "JFK")
INCUMBENTS = {
    "fresh": Incumbent(age=timedelta(days=7)),
    "stale": Incumbent(age=timedelta(days=31), stale=True),
}
MODEL = Model.model_validate({"candidates": {"blended": {}}, "validation": "28d"})
GATE = Gate.model_validate(
    {"holdout": "28d", "slices": ["origin", "hour", "month"], "slice_tolerance": 0.02}
)
WIDTH = 110

Verdicts = Mapping[str, tuple[bool, bool]]
"""Incumbent → whether the challenger is promoted without slice floors, and with them."""


@dataclass(frozen=True)
class World:
    """What a simulated holdout is drawn from.

    Attributes:
        rows: Labelled rows.
        gain: By how much the challenger is truly better over all, in log loss.
        local_loss: By how much it is truly worse in the worst slice, and so better elsewhere; None
            where it is the same everywhere.
    """

    rows: int
    gain: float
    local_loss: float | None = None


def main(arguments: list[str] | None = None) -> int:
    """Simulate and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=500, help="holdouts a cell")
    times = parser.parse_args(arguments).times
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(f"Challengers promoted, in % of {times}: without slice floors / with them")
    worlds = [World(rows, gain) for rows in SIZES for gain in GAINS]
    heads = [f"{gain:+.2f}" if gain else "equal" for gain in GAINS]
    console.print(_table("by its true gain over all", heads, worlds, times))
    worlds = [World(rows, LOCAL_GAIN, loss) for rows in SIZES for loss in LOCAL_LOSSES]
    heads = [f"-{loss:.2f} there" if loss else "equal there" for loss in LOCAL_LOSSES]
    title = f"better by {LOCAL_GAIN} over all, by what it is in {WORST[1]} (a quarter of the rows)"
    console.print(_table(title, heads, worlds, times))
    return 0


def simulate(world: World, seed: int) -> Holdout:
    """Draw a holdout of two models that know the truth but for noise.

    Args:
        world: How many rows, and how good the challenger is.
        seed: Of the draw.
    """
    random = np.random.default_rng(seed)
    day = np.arange(world.rows) * DAYS // world.rows
    truth = random.normal(-1, 1, world.rows)
    slices = {
        name: random.choice(list(chances), world.rows, p=list(chances.values()))
        for name, chances in SLICES.items()
    }
    slices["month"] = np.where(day < DAYS // 2, "2013-08", "2013-09")
    excess = _excess(world, slices[WORST[0]] == WORST[1])
    common = random.normal(size=world.rows)
    mine, other = (_noise(random, common, day) for _ in range(2))
    return Holdout(
        label=(random.random(world.rows) < _sigmoid(truth)).astype(np.float64),
        day=day,
        challenger=_sigmoid(truth + noise_for(excess) * mine),
        rivals={"champion": _sigmoid(truth + noise_for(CHAMPION_LOSS) * other)},
        slices=slices,
    )


def judge(holdout: Holdout) -> Verdicts:
    """Put a challenger to the gate, without and with slice floors."""
    bare = replace(holdout, slices={})
    return {
        name: (
            decide(bare, incumbent, gate=GATE, model=MODEL).promote,
            decide(holdout, incumbent, gate=GATE, model=MODEL).promote,
        )
        for name, incumbent in INCUMBENTS.items()
    }


def noise_for(loss: Floats | float) -> Floats:
    """Return the standard deviation of the noise that costs so much log loss, on average."""
    return np.asarray(np.interp(loss, *_costs()))


@cache
def _costs() -> tuple[Floats, Floats]:
    """Return what noise costs, and the noise's standard deviation, both rising."""
    grid = np.linspace(0, 4, 401)
    return np.array([cost_of(deviation) for deviation in grid]), grid


def cost_of(deviation: float) -> float:
    """Return the log loss, above the truth's, of the true log-odds (normal: -1, 1) plus noise."""
    points, weights = np.polynomial.hermite_e.hermegauss(41)
    weights = weights / weights.sum()
    truth = points[:, None] - 1
    said, chance = truth + deviation * points[None, :], _sigmoid(truth)
    surprise = np.logaddexp(0, said) - chance * said
    least = np.logaddexp(0, truth) - chance * truth
    return float(weights @ (surprise - least) @ weights)


def _excess(world: World, in_worst: np.ndarray) -> Floats:
    """Return the challenger's log loss above the truth's, for each row."""
    if world.local_loss is None:
        return np.full(world.rows, CHAMPION_LOSS - world.gain)
    share = SLICES[WORST[0]][WORST[1]]
    elsewhere = (world.gain + share * world.local_loss) / (1 - share)
    return np.where(in_worst, CHAMPION_LOSS + world.local_loss, CHAMPION_LOSS - elsewhere)


def _noise(random: np.random.Generator, common: Floats, day: np.ndarray) -> Floats:
    """Return a model's standard normal noise: common to both, common to a day's rows, its own."""
    own, of_day = random.normal(size=len(day)), random.normal(size=DAYS)[day]
    own_share = 1 - COMMON - OF_DAY
    return np.sqrt(COMMON) * common + np.sqrt(OF_DAY) * of_day + np.sqrt(own_share) * own


def _table(title: str, heads: Iterable[str], worlds: list[World], times: int) -> Table:
    table = Table("rows", "champion", *heads, title=title)
    for rows in SIZES:
        found = [
            [judge(simulate(world, seed)) for seed in range(times)]
            for world in worlds
            if world.rows == rows
        ]
        for name in INCUMBENTS:
            cells = [_cell([verdicts[name] for verdicts in cell]) for cell in found]
            table.add_row(f"{rows:,}", name, *cells)
    return table


def _cell(promoted: list[tuple[bool, bool]]) -> str:
    bare, floored = np.mean(promoted, axis=0) * 100
    return f"{bare:.0f} / {floored:.0f}"


def _sigmoid(scores: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-scores)))


if __name__ == "__main__":
    sys.exit(main())
