"""Small fitted pipelines of every kind that we ship."""

from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

NUMBERS = ["hour", "wind", "distance"]
CATEGORIES = ["dest", "origin"]


def _scaled():
    return Pipeline([("fill", SimpleImputer(add_indicator=True)), ("scale", StandardScaler())])


def _one_hot():
    return OneHotEncoder(min_frequency=20, handle_unknown="infrequent_if_exist")


def _ordinal():
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)


def _target(kind):
    return TargetEncoder(target_type=kind, cv=KFold(3, shuffle=True, random_state=1))


def _trees(cls):
    return cls(max_iter=8, early_stopping=False, random_state=3, categorical_features=None)


RECIPES = {
    "logistic": lambda: (_scaled(), _one_hot(), LogisticRegression()),
    "ridge": lambda: (_scaled(), _one_hot(), Ridge()),
    "trees": lambda: ("passthrough", _ordinal(), _trees(HistGradientBoostingClassifier)),
    "tree_values": lambda: ("passthrough", _ordinal(), _trees(HistGradientBoostingRegressor)),
    "encoded": lambda: (
        "passthrough",
        _target("binary"),
        _trees(HistGradientBoostingClassifier),
    ),
    "encoded_values": lambda: (
        "passthrough",
        _target("continuous"),
        _trees(HistGradientBoostingRegressor),
    ),
    "base": lambda: ("drop", "drop", DummyClassifier(strategy="prior")),
    "mean": lambda: ("drop", "drop", DummyRegressor()),
}


def fitted(name, table):
    """Fit the pipeline of that name on a table of the tiny fleet."""
    numbers, categories, estimator = RECIPES[name]()
    columns = [("numbers", numbers, NUMBERS), ("categories", categories, CATEGORIES)]
    rows = table[table["label"].notna()]
    pipeline = Pipeline([("columns", ColumnTransformer(columns)), ("estimator", estimator)])
    return pipeline.fit(rows[NUMBERS + CATEGORIES], rows["label"])
