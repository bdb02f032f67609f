from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from tenantry.floors import Sliced, compare_slices
from tenantry.gate import Decision, Holdout, Incumbent, decide, figure
from tenantry.specs.learning import Gate, Model

GATE = Gate(holdout="28d", min_rows=50, min_days=7, resamples=400)
MODEL = Model(candidates={"logistic": {}}, validation="28d")
FRESH = Incumbent(age=timedelta(days=7))
STALE = Incumbent(age=timedelta(days=31), stale=True)
CHANGED = Incumbent(age=timedelta(days=7), changed=True)
UNABLE = Incumbent(age=timedelta(days=7), changed=True, unable="its spec has no more wind")


def sigmoid(scores: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-scores))


def holdout(
    seed: int,
    *,
    noise: dict[str, float],
    days: int = 28,
    rows_a_day: int = 60,
) -> Holdout:
    """Every model knows the true log-odds but for noise of its own; more noise, a worse model."""
    random = np.random.default_rng(seed)
    rows = days * rows_a_day
    truth = random.normal(-1, 1, rows)
    models = {name: sigmoid(truth + random.normal(0, sd, rows)) for name, sd in noise.items()}
    return Holdout(
        label=(random.random(rows) < sigmoid(truth)).astype(float),
        day=np.arange(rows) // rows_a_day,
        challenger=models.pop("challenger"),
        rivals=models,
    )


def run(rows: Holdout, incumbent: Incumbent | None, **gate: object) -> Decision:
    return decide(rows, incumbent, gate=GATE.model_copy(update=gate), model=MODEL)


# --- a fresh champion: the challenger must be clearly better --------------------------------------


def test_a_clearly_better_challenger_is_promoted_over_a_fresh_champion():
    decision = run(holdout(1, noise={"challenger": 0.1, "champion": 1.0}), FRESH)
    assert decision.promote
    assert decision.sentence == (
        "promoted: log loss .525 against .609 of the champion "
        "on 1,680 rows of 28 days (gain .084, 95 % .058 to .107)"
    )
    assert decision.evidence["rival"] == "champion"
    assert decision.evidence["rows"] == 1680
    assert decision.evidence["days"] == 28


def test_an_equal_challenger_seldom_beats_a_fresh_champion():
    noise = {"challenger": 0.5, "champion": 0.5}
    promoted = [run(holdout(seed, noise=noise), FRESH).promote for seed in range(100)]
    assert sum(promoted) <= 7  # 2.5 expected


def test_a_clearly_better_challenger_is_nearly_always_promoted():
    noise = {"challenger": 0.2, "champion": 1.0}
    assert all(run(holdout(seed, noise=noise), FRESH).promote for seed in range(30))


def test_min_gain_raises_the_bar():
    rows = holdout(1, noise={"challenger": 0.1, "champion": 1.0})
    decision = run(rows, FRESH, min_gain=0.1)
    assert decision.choice == "champion"
    assert decision.sentence.startswith("kept the champion, the gain is not clear of .100: ")


# --- a stale or changed champion: the challenger must not be worse -------------------------------


@pytest.mark.parametrize(
    ("incumbent", "why"),
    [(STALE, "the champion is 31 days old"), (CHANGED, "the champion was made by an earlier spec")],
)
def test_an_equal_challenger_replaces_a_champion_that_must_give_way(incumbent, why):
    rows = holdout(2, noise={"challenger": 0.5, "champion": 0.5})
    decision = run(rows, incumbent)
    assert decision.promote
    assert decision.sentence.startswith(f"promoted, {why} and the challenger is no worse: ")
    assert not run(rows, FRESH).promote


def test_a_worse_challenger_never_replaces_even_a_stale_champion():
    noise = {"challenger": 1.0, "champion": 0.2}
    decisions = [run(holdout(seed, noise=noise), STALE) for seed in range(30)]
    assert not any(decision.promote for decision in decisions)
    assert decisions[0].sentence.startswith(
        "kept the champion, although the champion is 31 days old; "
        "the challenger is worse by more than .010: "
    )


def test_worse_within_the_tolerance_is_no_worse():
    rows = holdout(1, noise={"challenger": 0.5, "champion": 0.1}, rows_a_day=400)
    assert not run(rows, STALE, tolerance=0.0).promote
    assert run(rows, STALE, tolerance=0.05).promote


# --- a first model --------------------------------------------------------------------------------

FIRST = {"challenger": 0.2, "pooled": 0.4, "prior": 1.5}


def test_a_first_model_that_is_no_worse_is_promoted():
    decision = run(holdout(1, noise=FIRST), None)
    assert decision.promote
    assert decision.sentence.startswith("promoted as first model: log loss .")
    assert " of the pooled model and ." in decision.sentence
    assert " of the base rate on 1,680 rows of 28 days" in decision.sentence
    assert decision.evidence["rival"] == "pooled"


@pytest.mark.parametrize(
    ("noise", "choice"),
    [
        pytest.param({"pooled": 0.2, "prior": 1.0}, "pooled", id="pooled is better than both"),
        pytest.param({"pooled": 2.5, "prior": 0.4}, "prior", id="pooled is poor"),
        pytest.param({"prior": 0.4}, "prior", id="no pooled model"),
        pytest.param({"pooled": 0.4}, "pooled", id="no label before the holdout"),
    ],
)
def test_what_a_tenant_gets_instead_of_a_poor_first_model(noise, choice):
    decision = run(holdout(1, noise={"challenger": 2.0, **noise}), None)
    assert decision.choice == choice
    assert not decision.promote
    name = {"pooled": "the pooled model", "prior": "the base rate"}[choice]
    assert decision.sentence.startswith(
        f"{name} instead of the challenger, which is worse than {name} by more than .010: "
    )


# --- slice floors ---------------------------------------------------------------------------------

FLOORS = {"slices": ("origin", "month"), "slice_tolerance": 0.02}


def sliced(seed: int, *, there: float, rival: str = "champion", rows_a_day: int = 60) -> Holdout:
    """The challenger is better than its rival, but for its noise in a quarter of the rows, JFK."""
    random = np.random.default_rng(seed)
    rows = 28 * rows_a_day
    truth = random.normal(-1, 1, rows)
    origin = random.choice(["EWR", "JFK", "LGA"], rows, p=[0.45, 0.25, 0.3])
    noise = np.where(origin == "JFK", there, 0.1)
    day = np.arange(rows) // rows_a_day
    return Holdout(
        label=(random.random(rows) < sigmoid(truth)).astype(float),
        day=day,
        challenger=sigmoid(truth + noise * random.normal(size=rows)),
        rivals={rival: sigmoid(truth + 1.2 * random.normal(size=rows))},
        slices={"origin": origin, "month": np.where(day < 14, "2013-08", "2013-09")},
    )


@pytest.mark.parametrize("incumbent", [FRESH, STALE, CHANGED])
def test_a_better_challenger_that_is_much_worse_in_a_slice_is_kept_out(incumbent):
    rows = sliced(1, there=1.8)
    assert run(replace(rows, slices={}), incumbent).promote
    decision = run(rows, incumbent, **FLOORS)
    assert decision.choice == "champion"
    assert decision.sentence == (
        "kept the champion, the challenger is worse than the champion by more than .020 "
        "where origin is JFK: .754 against .577 there on 426 rows of 28 days "
        "(gain -.177, 99 % -.311 to -.043); over all, log loss .584 against .615 on 1,680 rows"
    )
    assert decision.evidence["slice"] == "origin is JFK"
    assert decision.evidence["slices"] == 5
    assert decision.evidence["slice_gain_high"] < -0.02


def test_a_challenger_that_is_worse_nowhere_passes_the_floors():
    decision = run(sliced(1, there=0.1), FRESH, **FLOORS)
    assert decision.promote
    assert decision.evidence["slices"] == 5
    assert "slice" not in decision.evidence


def test_the_floor_is_below_the_tolerance():
    rows = sliced(1, there=1.8)
    assert run(rows, STALE, **FLOORS | {"slice_tolerance": 0.1}).promote


def test_a_slice_without_evidence_stops_nobody():
    rows = sliced(1, there=1.8)
    assert run(rows, STALE, **FLOORS, min_rows=500).promote  # JFK has 426


def test_floors_do_not_make_a_promotion_of_what_is_not_better():
    decision = run(holdout(1, noise={"challenger": 1.0, "champion": 0.2}), FRESH, **FLOORS)
    assert decision.sentence.startswith("kept the champion, the gain is not clear of")


def test_a_first_model_that_is_much_worse_than_pooled_in_a_slice_does_not_reign():
    decision = run(sliced(1, there=1.8, rival="pooled"), None, **FLOORS)
    assert decision.choice == "pooled"
    assert decision.sentence.startswith(
        "the pooled model instead of the challenger, which is worse than the pooled model "
        "by more than .020 where origin is JFK: "
    )


def test_more_slices_ask_for_surer_signs():
    rows = sliced(1, there=1.8)
    confidence = {
        number: compare_slices(
            Sliced(rows.label, rows.day, dict(list(rows.slices.items())[:number])),
            rows.challenger,
            rows.rivals["champion"],
            gate=GATE,
            metric="log_loss",
        )[0].confidence
        for number in (1, 2)
    }
    assert confidence == {1: pytest.approx(1 - 0.05 / 3), 2: pytest.approx(0.99)}


def test_a_sentence_shows_hostile_values_as_escapes_and_cuts_them():
    rows = sliced(1, there=1.8)
    origin = np.where(rows.slices["origin"] == "JFK", "\x1b[2J" + "x" * 90, "EWR")
    sentence = run(replace(rows, slices={"origin": origin}), FRESH, **FLOORS).sentence
    assert "\x1b" not in sentence
    assert f"origin is \\x1b[2J{'x' * 36}…: " in sentence


# --- too little evidence --------------------------------------------------------------------------

FEW_ROWS = holdout(1, noise={"challenger": 1.0, "champion": 0.1}, days=3, rows_a_day=4)
FEW_DAYS = holdout(1, noise={"challenger": 1.0, "champion": 0.1}, days=3)
ONE_CLASS = Holdout(np.zeros(280), np.arange(280) // 10, np.full(280, 0.1), {})
NOTHING = Holdout(np.zeros(0), np.zeros(0, dtype=np.int64), np.zeros(0), {})


@pytest.mark.parametrize(
    ("rows", "lacking"),
    [
        pytest.param(FEW_ROWS, "12 labelled rows of 3 days, 50 of 7 needed", id="few rows"),
        pytest.param(FEW_DAYS, "180 labelled rows of 3 days, 50 of 7 needed", id="few days"),
        pytest.param(ONE_CLASS, "all 280 labels of 28 days are the same", id="one class"),
        pytest.param(NOTHING, "0 labelled rows of 0 days, 50 of 7 needed", id="no rows"),
    ],
)
@pytest.mark.parametrize(
    "case",
    [
        (None, "keep", "challenger", "promoted as first model without a comparison: "),
        (FRESH, "promote", "champion", "kept the champion without a comparison: "),
        (
            STALE,
            "promote",
            "challenger",
            "promoted without a comparison: the champion is 31 days old; ",
        ),
        (STALE, "keep", "champion", "kept the champion without a comparison: "),
        (
            CHANGED,
            "promote",
            "challenger",
            "promoted without a comparison: the champion was made by an earlier spec; ",
        ),
        (CHANGED, "keep", "champion", "kept the champion without a comparison: "),
    ],
)
def test_without_evidence(rows, lacking, case):
    incumbent, rule, choice, words = case
    decision = run(rows, incumbent, without_evidence=rule)
    assert (decision.choice, decision.sentence) == (choice, words + lacking)
    assert decision.evidence == {"rows": len(rows.label), "days": len(np.unique(rows.day))}


@pytest.mark.parametrize(
    ("rows", "lacking"),
    [
        pytest.param(
            Holdout(np.arange(280) % 2.0, np.arange(280) // 10, np.full(280, np.nan), {}),
            "no such model could be fitted before the holdout",
            id="no challenger then",
        ),
        pytest.param(
            Holdout(np.arange(280) % 2.0, np.arange(280) // 10, np.full(280, 0.5), {}),
            "nothing else could be fitted before the holdout",
            id="no rival then",
        ),
    ],
)
def test_a_first_model_with_nothing_to_compare(rows, lacking):
    decision = run(rows, None)
    assert decision.promote
    assert decision.sentence == f"promoted as first model without a comparison: {lacking}"


@pytest.mark.parametrize("rule", ["promote", "keep"])
def test_a_champion_that_cannot_score_gives_way_whatever_the_rule(rule):
    rows = holdout(1, noise={"challenger": 1.0})
    decision = run(rows, UNABLE, without_evidence=rule)
    assert decision.promote
    assert decision.sentence == (
        "promoted without a comparison: the champion cannot score these rows, "
        "its spec has no more wind"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.4512, ".451"),
        (-0.0123, "-.012"),
        (-0.0001, ".000"),
        (0.0, ".000"),
        (0.9999, "1.00"),
        (1.234, "1.23"),
        (-23.44, "-23.4"),
        (4210.04, "4,210.0"),
    ],
)
def test_figures_for_people(value, text):
    assert figure(value) == text
