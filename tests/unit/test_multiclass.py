"""Models of several classes: every class known, exact reasons, metrics, other orders of classes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

from tenantry.appraisal import appraise
from tenantry.contract import check_rows
from tenantry.curves import shown_curves
from tenantry.digests import sha256
from tenantry.evaluations import predictions_in, with_predictions
from tenantry.explain import contributions
from tenantry.metrics import all_scores, measure
from tenantry.models.archive import pack, unpack
from tenantry.models.fitted import FittedModel, link_scores
from tenantry.report.model_words import tell_classes
from tenantry.rules import settle_rules
from tenantry.scoring import is_decided, predict_rows, score_rows
from tenantry.specs.features import texts_of
from tenantry.training.pipelines import Trees, fit_constant, fit_linear, fit_trees
from tests.unit.test_wording import FEATURES, FILLERS
from tests.unit.tiny_fleet import AS_OF, make_spec

CLASSES = ["a", "b", "c", "never"]
COLUMNS = FEATURES | {"number": {"kind": "numeric", "column": "size"}, "size": {"kind": "numeric"}}


def spec(classes=CLASSES, **predict):
    features = {name: COLUMNS[name] for name in ("said", "dest", "size")}
    columns = {
        "number": {"type": "integer"},
        "departs": {"type": "time"},
        "queue": {"type": "category", "categories": classes},
    }
    return make_spec(
        features=features,
        pooled={"every": "28d", "features": features},
        label={"column": "queue", "task": "multiclass"},
        contract={"columns": columns},
        predict={"window": "7d", "start": "2013-09-03"} | predict,
    )


def make_rows(rows=400, seed=0):
    """Rows of three classes, each with its word in four of five texts."""
    random = np.random.default_rng(seed)
    code = random.choice(3, rows, p=[0.5, 0.3, 0.2])
    known = random.random(rows) < 0.8
    words = np.where(known, np.array(["alpha", "beta", "gamma"])[code], "hello")
    fillers = random.choice(FILLERS, (rows, 3))
    said = [" ".join([word, *more]) for word, more in zip(words, fillers, strict=True)]
    return pd.DataFrame(
        {
            "number": np.arange(rows, dtype=float),
            "event_time": pd.Timestamp(AS_OF),
            "said": pd.Series(said, dtype="str"),
            "dest": pd.Series(random.choice(["LAX", "BOS"], rows), dtype="str"),
            "size": random.normal(size=rows),
            "label": code.astype(float),
        }
    )


ROWS, NEW = make_rows(), make_rows(60, seed=1)
SPEC = spec()


def fit(kind, rows=ROWS):
    frame = rows[["said", "dest", "size"]]
    label, texts = rows["label"].to_numpy(), texts_of(SPEC.features)
    more = {"task": "multiclass", "classes": len(CLASSES)}
    if kind == "constant":
        return fit_constant(frame, label, **more)
    if kind == "linear":
        return fit_linear(frame, label, c=0.05, min_frequency=5, texts=texts, **more)
    return fit_trees(frame, label, trees=Trees(max_iter=8), seed=1, texts=texts, **more)


def model(form, own="linear", classes=CLASSES):
    rows = ROWS.assign(tenant=pd.Series("ua", index=ROWS.index, dtype="str"))
    return FittedModel(
        "x",
        "multiclass",
        form,
        own=None if form == "pooled" else fit(own),
        pooled=None if form == "own" else fit("trees", rows),
        weight=0.4,
        classes=tuple(classes),
    )


@pytest.fixture(scope="module")
def blend():
    return model("blend")


@pytest.mark.parametrize("kind", ["constant", "linear", "trees"])
def test_a_class_that_never_occurred_is_told_to_be_rare_and_not_impossible(kind):
    chances = model("own", kind).predict(NEW, SPEC)
    assert chances.shape == (60, 4)
    assert np.allclose(chances.sum(axis=1), 1)
    assert (chances[:, 3] > 1e-6).all()
    assert chances[:, 3].mean() < 0.02


def test_base_rates_count_one_more_row_of_each_class_to_equal_parts():
    (chances,) = model("own", "constant").predict(NEW.iloc[:1], SPEC)
    counts = np.bincount(ROWS["label"].astype(int), minlength=4)
    assert np.allclose(chances, (counts + 0.25) / (len(ROWS) + 1))


@pytest.mark.parametrize(
    ("form", "own"), [("own", "linear"), ("own", "trees"), ("own", "constant"), ("blend", "linear")]
)
def test_reasons_add_up_to_the_lead_of_the_most_probable_class(form, own):
    made = model(form, own)
    base, parts = contributions(made, NEW, SPEC)
    scores = made.score(NEW, SPEC)
    assert np.allclose(scores.sum(axis=1), 0)
    assert np.allclose(base + parts.sum(axis=1), scores.max(axis=1), atol=1e-9)
    assert list(parts.index) == list(NEW.index)


def test_the_blend_is_made_in_the_link_space(blend):
    shared = link_scores(blend.pooled, NEW.assign(tenant="ua"))
    own = link_scores(blend.own, NEW)
    assert np.allclose(blend.score(NEW, SPEC), 0.4 * own + 0.6 * shared)


@pytest.mark.parametrize("kind", ["constant", "linear", "trees"])
def test_files_hold_every_class_and_the_same_bytes(kind):
    archive = pack({"pipeline": fit(kind)})
    assert pack({"pipeline": fit(kind)}) == archive
    opened = unpack(archive, "x", sha256(archive))["pipeline"]
    assert np.array_equal(link_scores(opened, NEW), link_scores(fit(kind), NEW))


def test_the_metrics_are_those_of_scikit_learn(blend):
    label, chances = NEW["label"].to_numpy(), blend.predict(NEW, SPEC)
    scores, said = all_scores("log_loss", label, chances), chances.argmax(axis=1)
    three = chances[:, :3] / chances[:, :3].sum(axis=1, keepdims=True)
    assert scores["log_loss"] == pytest.approx(log_loss(label, chances, labels=[0, 1, 2, 3]))
    assert scores["accuracy"] == accuracy_score(label, said)
    assert scores["macro_f1"] == pytest.approx(
        f1_score(label, said, average="macro", labels=[0, 1, 2])
    )
    ours = [roc_auc_score(label == code, chances[:, code]) for code in range(3)]
    assert scores["macro_auc"] == pytest.approx(np.mean(ours))
    assert scores["brier"] == pytest.approx(
        ((chances - np.eye(4)[label.astype(int)]) ** 2).sum(1).mean()
    )
    assert three.shape == (60, 3)
    assert measure("log_loss", np.array([3.0]), np.array([[1.0, 0, 0, 0]])) < 40


def test_decisions_are_classes_where_the_model_is_sure_enough(blend):
    scored = score_rows(blend, NEW, spec(threshold=0.6, explain={"rows": "decided"}))
    chances = blend.predict(NEW, SPEC)
    sure = chances.max(axis=1) >= 0.6
    assert 0 < sure.sum() < len(NEW)
    assert np.array_equal(is_decided(scored), sure)
    said = np.array(CLASSES)[chances.argmax(axis=1)]
    assert (scored.loc[sure, "decision"] == said[sure]).all()
    told = pd.DataFrame(scored["probabilities"].tolist())
    assert np.array_equal(told.to_numpy(), chances)
    assert list(told.columns) == CLASSES
    assert np.array_equal(scored["reasons"].notna(), sure)


def test_a_target_rate_is_the_share_of_rows_that_get_a_decision(blend):
    label = NEW["label"].rename("label").to_frame()
    evaluation = with_predictions(label, "challenger", blend.predict(NEW, SPEC))
    assert predictions_in(evaluation, "challenger").shape == (60, 4)
    rules = settle_rules(spec(threshold={"target_rate": 0.5}), evaluation)
    surest = blend.predict(NEW, SPEC).max(axis=1)
    assert (surest >= rules.threshold).mean() == pytest.approx(0.5, abs=0.02)


def test_a_model_of_other_classes_is_compared_by_their_names(blend):
    turned = spec(["c", "other", "a", "b"])
    chances, before = predict_rows(blend, NEW, turned), blend.predict(NEW, SPEC)
    assert np.allclose(chances.sum(axis=1), 1)
    assert (chances[:, 1] == 0).all()
    kept = before[:, [2, 0, 1]] / before[:, :3].sum(axis=1, keepdims=True)
    assert np.allclose(chances[:, [0, 2, 3]], kept)


def test_labels_are_the_places_of_the_classes_in_the_contract():
    frame = pd.DataFrame(
        {
            "number": [1, 2, 3, 4, 5],
            "departs": pd.Timestamp("2013-09-01", tz="UTC"),
            "queue": ["c", "a", None, "b", "zzz"],
        }
    )
    checked = check_rows(frame, spec(), AS_OF)
    assert checked.rows["label"].tolist()[:2] == [2.0, 0.0]
    assert checked.rows["label"].isna().tolist() == [False, False, True, False]
    assert checked.quarantined["reason"].tolist() == ["queue: not an allowed category"]


def test_kubeflow_is_shown_the_classes_confused(blend):
    curves = appraise(
        "v",
        blend,
        label=NEW["label"].to_numpy(),
        predicted=blend.predict(NEW, SPEC),
        table=NEW,
        spec=SPEC,
        threshold=0.5,
    )
    shown = shown_curves([curves, curves])["confusionMatrix"]
    assert [one["displayName"] for one in shown["annotationSpecs"]] == CLASSES
    assert sum(sum(line["row"]) for line in shown["rows"]) == 120
    assert [sum(line["row"]) for line in shown["rows"]] == [
        2 * count for count in np.bincount(NEW["label"].astype(int), minlength=4)
    ]
    assert sum(one.rows for one in curves.reliability) == 60
    assert tell_classes(curves).startswith("The most probable class is right for ")
    cells = ((8, 0, 0, 0), (2, 5, 1, 0), (0, 0, 4, 0), (0, 0, 0, 0))
    assert tell_classes(curves.model_copy(update={"class_confusion": cells})) == (
        "The most probable class is right for 85% of the rows; "
        "most often b is taken for a, 2 rows of 8."
    )
