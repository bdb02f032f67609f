"""Texts in models: exact contributions, the words behind them, equal bytes for equal models."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from tenantry.digests import sha256
from tenantry.explain import contributions
from tenantry.models.archive import pack, unpack
from tenantry.models.fitted import FittedModel, link_scores, source_features
from tenantry.models.words import Words, WordScore, has_words
from tenantry.reason_columns import reason_array
from tenantry.specs.features import TextFeature
from tenantry.training.pipelines import Trees, fit_linear, fit_trees
from tenantry.wording import leading_words
from tests.unit.tiny_fleet import make_spec

FEATURES = {
    "said": {"kind": "text", "title": "what it says", "min_texts": 2, "max_words": 40},
    "dest": {"kind": "categorical"},
}
TEXTS = {"said": TextFeature.model_validate(FEATURES["said"])}
FILLERS = ("please", "help", "today", "again", "the", "order")


def make_rows(rows=400, seed=0):
    random = np.random.default_rng(seed)
    label = (random.random(rows) < 0.4).astype(float)
    words = np.where(random.random(rows) < 0.9, np.where(label > 0, "refund", "thanks"), "hello")
    fillers = random.choice(FILLERS, (rows, 3))
    said = [" ".join([word, *more]) for word, more in zip(words, fillers, strict=True)]
    return pd.DataFrame(
        {
            "said": pd.Series(said, dtype="str"),
            "dest": pd.Series(random.choice(["LAX", "BOS"], rows), dtype="str"),
            "label": label,
        }
    )


ROWS = make_rows()
NEW = pd.DataFrame(
    {
        "said": pd.Series(["refund please the", "thanks again", "", "äöü <b>never seen</b>"]),
        "dest": pd.Series(["LAX", "BOS", "LAX", "SFO"]),
    }
).astype("str")
SPEC = make_spec(features=FEATURES, pooled={"every": "28d", "features": FEATURES})


def fit(kind, task="classification", rows=ROWS):
    frame, label = rows[["said", "dest"]], rows["label"].to_numpy()
    if kind == "linear":
        return fit_linear(frame, label, task=task, c=0.05, min_frequency=5, texts=TEXTS)
    return fit_trees(frame, label, task=task, trees=Trees(max_iter=10), seed=1, texts=TEXTS)


def model(form, task="classification"):
    own = fit("linear", task) if form != "pooled" else None
    rows = ROWS.assign(tenant=pd.Series("ua", index=ROWS.index, dtype="str"))
    pooled = fit("trees", task, rows) if form != "own" else None
    return FittedModel("x", task, form, own=own, pooled=pooled, weight=0.4)


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("form", ["own", "pooled", "blend"])
def test_contributions_of_texts_are_exact(form, task):
    made = model(form, task)
    base, parts = contributions(made, NEW, SPEC)
    assert set(parts.columns) == {"said", "dest"}
    scores = made.score(NEW, SPEC)
    assert np.allclose(base + parts.sum(axis=1), scores, atol=1e-9)
    assert scores[0] > scores[1]
    assert (parts["said"].abs() > parts["dest"].abs())[:2].all()


@pytest.mark.parametrize("form", ["own", "pooled", "blend"])
def test_the_words_behind_a_contribution_push_its_way(form):
    made = model(form)
    parts = contributions(made, NEW, SPEC).contributions
    named = leading_words(made, NEW, parts, SPEC)["said"]
    assert named[0].split(", ")[0] == "refund"
    assert named[1].split(", ")[0] == "thanks"
    assert named[2:] == ["", ""]
    reasons = reason_array(parts, NEW, SPEC, top=2, words={"said": named}).to_pylist()
    assert reasons[0][0]["value"].startswith("“refund")
    assert reasons[0][0]["title"] == "what it says"
    assert {one["value"] for one in reasons[3] if one["feature"] == "said"} <= {"no known word"}


def test_trees_do_not_see_what_a_texts_own_label_says():
    """Texts of one word each, all different: what is learnt of them is nothing."""
    random = np.random.default_rng(0)
    label = (np.arange(300) % 2).astype(float)
    texts = pd.Series([f"word{n} word{n}" for n in random.permutation(300)], dtype="str")
    score = WordScore(min_df=1, seed=0)
    assert np.corrcoef(score.fit_transform(texts, label)[:, 0], label)[0, 1] < 0.3
    assert np.corrcoef(score.transform(texts)[:, 0], label)[0, 1] > 0.9


def test_the_vocabulary_is_bounded_and_leaves_rare_words_out():
    words = Words(max_features=3, min_df=2).fit(ROWS["said"])
    assert len(words.vocabulary_) == 3
    assert has_words(ROWS["said"], 5)
    assert not has_words(pd.Series(["", "one", "two"]), 2)


def test_a_text_without_words_is_left_out():
    empty = ROWS.assign(said=pd.Series("", index=ROWS.index, dtype="str"))
    for kind in ("linear", "trees"):
        pipeline = fit(kind, rows=empty)
        assert list(pipeline.feature_names_in_) == ["dest"]
        assert np.isfinite(link_scores(pipeline, NEW)).all()


def test_every_word_comes_from_its_text():
    pipeline = fit("linear")
    sources = source_features(pipeline)
    assert len(sources) == pipeline["columns"].transform(NEW).shape[1]
    assert sources.count("said") == len(
        pipeline["columns"].named_transformers_["words_said"].vocabulary_
    )
    assert source_features(fit("trees")) == ("dest", "said")


@pytest.mark.parametrize("kind", ["linear", "trees"])
def test_files_of_equal_models_have_equal_bytes_in_any_process(kind):
    archive = pack({"pipeline": fit(kind)})
    fit(kind).predict(NEW)
    used = fit(kind)
    used.predict(NEW)
    assert pack({"pipeline": used}) == archive
    opened = unpack(archive, "x", sha256(archive))["pipeline"]
    assert np.array_equal(link_scores(opened, NEW), link_scores(used, NEW))
    code = (
        "from tests.unit.test_wording import fit, pack; from tenantry.digests import sha256;"
        f"print(sha256(pack({{'pipeline': fit({kind!r})}})))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == sha256(archive)
