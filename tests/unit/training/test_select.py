"""The preferred recipe stands unless a later one is better by the margin of the spec."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tenantry.errors import TrainingError
from tenantry.metrics import all_scores
from tenantry.training.folds import Spans
from tenantry.training.lessons import Lessons
from tenantry.training.select import select_recipe
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table
from tests.unit.tiny_fleet import CANDIDATES as DECLARED
from tests.unit.training.chains import make_chain


@pytest.fixture(scope="module")
def chain():
    return make_chain()


def ordered(*names):
    return {name: DECLARED[name] for name in names}


def choose(chain, *names, table=None, **changes):
    spec = make_spec("ua", candidates=ordered(*names), **changes)
    table = make_table("ua", rows=3000) if table is None else table
    return select_recipe(Lessons(table, spec, chain), Spans.of(spec, AS_OF))


def test_a_clearly_better_recipe_is_chosen_wherever_it_stands(chain):
    assert choose(chain, "prior", "logistic").recipe == "logistic"
    assert choose(chain, "logistic", "prior").recipe == "logistic"


@pytest.mark.parametrize("names", [("logistic", "blended"), ("blended", "logistic")])
def test_between_near_equals_the_preferred_one_stands(chain, names):
    nearly = {
        "blended": {"row_weight": 0, "max_weight": 0.98, "half_weight_rows": 1},
        "logistic": {},
    }
    spec = make_spec("ua", candidates={name: nearly[name] for name in names})
    lessons = Lessons(make_table("ua", rows=3000), spec, chain)
    found = select_recipe(lessons, Spans.of(spec, AS_OF))
    assert found.recipe == names[0]
    losses = {name: scores["log_loss"] for name, scores in found.scores.items()}
    assert losses["logistic"] == pytest.approx(losses["blended"], abs=0.01)


@pytest.mark.parametrize(("margin", "recipe"), [(0, "logistic"), (2, "logistic"), (99, "prior")])
def test_the_margin_is_the_specs(chain, margin, recipe):
    found = choose(chain, "prior", "logistic", model={"margin": margin})
    assert found.recipe == recipe


def test_the_holdout_is_never_touched(chain):
    table = make_table("ua", rows=3000)
    poisoned = table.copy()
    late = poisoned["label_known_at"] > AS_OF - timedelta(days=28)
    poisoned.loc[late, "label"] = 1 - poisoned.loc[late, "label"]
    poisoned.loc[late & (poisoned["event_time"] >= AS_OF - timedelta(days=28)), "wind"] = 1e5
    clean, harmed = (choose(chain, *DECLARED, table=rows) for rows in (table, poisoned))
    assert (clean.recipe, clean.sentence, clean.scores) == (
        harmed.recipe,
        harmed.sentence,
        harmed.scores,
    )


def test_scores_and_refusals_are_kept():
    found = choose(None, *DECLARED)
    assert set(found.scores) == {"prior", "logistic", "boosted"}
    assert set(found.refused) == {"pooled", "stacked", "blended"}
    assert all(set(scores) == {"log_loss", "brier", "roc_auc"} for scores in found.scores.values())
    assert found.sentence.startswith(f"{found.recipe}: log loss ")
    assert " later rows; by preference prior 0." in found.sentence
    assert found.sentence.endswith(", where a later one must be better by 2 standard errors")


@pytest.mark.parametrize("broken", ["few", "one class"])
def test_without_a_comparison_the_first_that_can_be_fitted_stands(broken):
    table = make_table("ua", rows=200 if broken == "few" else 2000)
    if broken == "one class":
        late = table["event_time"] >= AS_OF - timedelta(days=56)
        table.loc[late & table["label"].notna(), "label"] = 0.0
    found = choose(None, "pooled", "logistic", "prior", table=table)
    assert found.recipe == "logistic"
    assert found.sentence.startswith("logistic, the first choice that can be fitted: ")
    assert found.predicted is None


@pytest.mark.parametrize(
    ("names", "recipe"),
    [(("blended", "pooled"), "blended"), (("pooled", "blended"), "pooled")],
)
def test_what_a_young_tenant_could_not_compare_keeps_its_place(chain, names, recipe):
    """Born within the validation span, it had no row to fit its own model on before."""
    table = make_table("ua", rows=400, days=45)
    found = choose(chain, *names, table=table)
    assert found.recipe == recipe
    assert found.refused == {"blended": "no label was known then"}
    is_first = recipe == "blended"
    assert found.sentence.startswith("blended, the first choice: it could not be") == is_first
    assert (found.predicted is None) == is_first


def test_what_can_still_not_be_fitted_does_not_stand():
    found = choose(None, "pooled", "logistic", "prior")
    assert found.recipe == "logistic"
    assert set(found.scores) == {"logistic", "prior"}


def test_when_nothing_can_be_fitted_every_reason_is_told():
    with pytest.raises(TrainingError, match=r"pooled: there is no .*; stacked: there is no"):
        choose(None, "pooled", "stacked")


def test_metrics_go_with_the_task():
    label, predicted = np.array([0.0, 1.0, 0.0]), np.array([0.2, 0.9, 0.4])
    assert set(all_scores("brier", label, predicted)) == {"log_loss", "brier", "roc_auc"}
    assert set(all_scores("log_loss", label[:1], predicted[:1])) == {"log_loss", "brier"}
    assert set(all_scores("mae", label, predicted)) == {"mae", "rmse", "r2"}
    assert set(all_scores("rmse", label[:1], predicted[:1])) == {"mae", "rmse"}


def test_labels_known_only_after_the_validation_span_are_not_used(chain):
    spec = make_spec("ua", candidates=ordered("prior", "logistic"))
    table = make_table("ua", rows=3000)
    table["label_known_at"] = table["label_known_at"] + pd.Timedelta(days=30)
    found = select_recipe(Lessons(table, spec, chain), Spans.of(spec, AS_OF))
    assert "0 rows to compare" in found.sentence
