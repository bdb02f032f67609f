"""Recipes of others: only what the platform lists is imported, fitted and opened."""

import sys

import numpy as np
import pytest

from tenantry.digests import sha256
from tenantry.errors import ModelFileError, SpecError, TrainingError
from tenantry.explain import contributions
from tenantry.models.archive import pack, unpack
from tenantry.recipes import allowed_recipes
from tenantry.specs.checks import check
from tenantry.training.lessons import Lessons
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table

SCALER = "sklearn.preprocessing._data.RobustScaler"
CODE = """\
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import RobustScaler, PolynomialFeatures

from tenantry.models.fitted import FittedModel


def model(material, encoder, estimator):
    numbers = Pipeline([("fill", SimpleImputer()), ("scale", encoder)])
    columns = ColumnTransformer([("numbers", numbers, ["hour", "distance"])])
    own = Pipeline([("columns", columns), ("estimator", estimator)])
    own.fit(material.frame[["hour", "distance"]], material.label)
    return FittedModel("mine", material.task, "own", own=own)


def fit_robust(material, *, c=1.0):
    return model(material, RobustScaler(), LogisticRegression(C=c))


def fit_forest(material):
    return model(material, RobustScaler(), RandomForestClassifier(3))


def fit_near(material):
    return model(material, RobustScaler(), KNeighborsClassifier())


def fit_powers(material):
    return model(material, PolynomialFeatures(), LogisticRegression(C=1e-9, tol=0.1, max_iter=9999))


def fit_nothing(material):
    return "a model"


def fit_badly(material):
    raise ValueError(f"row {material.frame.iloc[0].to_dict()}")


NUMBER = 3
"""
LISTED = f"""\
recipes:
  acme_robust:fit_robust: {{types: [{SCALER}]}}
  acme_robust:fit_forest: {{types: [sklearn.ensemble._forest.RandomForestClassifier]}}
  acme_robust:fit_near: {{types: [sklearn.neighbors._classification.KNeighborsClassifier]}}
  acme_robust:fit_powers: {{types: [sklearn.preprocessing._polynomial.PolynomialFeatures]}}
  acme_robust:fit_nothing:
  acme_robust:fit_badly:
  acme_robust:gone:
  acme_robust:NUMBER:
  acme_gone:fit:
"""
TABLE = make_table(rows=600)


@pytest.fixture
def platform(tmp_path, monkeypatch):
    """What the platform installs and lists."""
    (tmp_path / "acme_robust.py").write_text(CODE)
    (tmp_path / "acme_secret.py").write_text("raise SystemExit('was imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    path = tmp_path / "recipes.yaml"
    path.write_text(LISTED)
    monkeypatch.setenv("TENANTRY_RECIPES", str(path))
    yield path
    sys.modules.pop("acme_robust", None)


def fit(function, parameters=None):
    name = function if ":" in function else f"acme_robust:{function}"
    spec = make_spec(candidates={name: parameters or {}})
    return Lessons(TABLE, spec, None).fit(name, AS_OF), spec


@pytest.mark.usefixtures("platform")
def test_a_listed_recipe_is_fitted_kept_and_explained():
    made, spec = fit("fit_robust", {"c": 0.1})
    assert made.recipe == "acme_robust:fit_robust"
    assert made.own["estimator"].C == 0.1
    archive = pack({"own": made.own})
    opened = unpack(archive, "x", sha256(archive))["own"]
    assert np.array_equal(opened.predict_proba(TABLE), made.own.predict_proba(TABLE))
    base, parts = contributions(made, TABLE, spec)
    assert np.allclose(base + parts.sum(axis=1), made.score(TABLE, spec))


def test_its_file_cannot_be_opened_where_nobody_allows_its_types(platform, monkeypatch):
    made, _ = fit("fit_robust")
    archive = pack({"own": made.own})
    monkeypatch.delenv("TENANTRY_RECIPES")
    with pytest.raises(ModelFileError, match="RobustScaler"):
        unpack(archive, "x", sha256(archive))


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("acme_secret:fit", "is not among the recipes that the platform allows; ask it to list it"),
        ("os:system", "is not among the recipes that the platform allows"),
        ("gone", r"cannot be imported \(AttributeError\); install it in the image"),
        ("acme_gone:fit", r"cannot be imported \(ModuleNotFoundError\)"),
        ("NUMBER", "is no function"),
        ("fit_nothing", "returned a str, not a FittedModel"),
        ("fit_badly", "raised ValueError; ask whoever wrote it$"),
        ("fit_forest", "holds types that no model of ours has: .*list them as its types"),
        ("fit_near", "holds types that no model of ours has"),
        ("fit_powers", "its reasons do not add up to its scores; end its pipeline in a linear"),
    ],
)
def test_what_is_not_allowed_or_not_whole_is_refused(function, said):
    with pytest.raises(TrainingError, match=said) as caught:
        fit(function)
    assert str(caught.value).startswith("model.candidates.")
    assert caught.value.__cause__ is None


@pytest.mark.usefixtures("platform")
def test_unknown_parameters_are_told_as_of_any_recipe():
    with pytest.raises(TrainingError, match="has no depth; its parameters are c"):
        fit("fit_robust", {"depth": 3})


def faults(name):
    spec = make_spec(candidates={name: {}})
    return [str(one) for one in check(spec, {"model"}) if "candidates" in one.place]


def test_specs_are_told_what_is_not_on_the_list(platform, monkeypatch):
    assert faults("acme_robust:fit_robust") == []
    assert faults("acme_robust:fit_robus") == [
        "model.candidates: the platform does not allow the recipe 'acme_robust:fit_robus'; "
        "did you mean acme_robust:fit_robust?"
    ]
    monkeypatch.delenv("TENANTRY_RECIPES")
    assert faults("acme_robust:fit_robust") == [
        "model.candidates: the platform does not allow the recipe 'acme_robust:fit_robust'; "
        "it lists none: see TENANTRY_RECIPES"
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x: 1", "recipes.yaml: recipes: is missing or no map"),
        (
            "recipes: {fit: null}",
            "recipes.yaml: recipes: 'fit' is no recipe; write module:function",
        ),
        ("recipes: {'a:b': [x]}", "recipes.yaml: recipes.a:b: is not a map of types"),
        ("recipes: {'a:b': {types: x}}", "recipes.yaml: recipes.a:b.types: is not a list"),
        ("recipes: {'a:b': {types: [3]}}", "recipes.yaml: recipes.a:b.types: '3' is no type"),
        ("recipes: {'a:b; c': {types: []}}", "recipes.yaml: recipes: 'a:b; c' is no recipe"),
    ],
)
def test_faults_of_the_list_say_where_they_are(tmp_path, monkeypatch, text, said):
    path = tmp_path / "recipes.yaml"
    path.write_text(text)
    monkeypatch.setenv("TENANTRY_RECIPES", str(path))
    with pytest.raises(SpecError) as caught:
        allowed_recipes()
    assert str(caught.value).startswith(said)
