import numpy as np
import pandas as pd
import pytest

from tenantry.errors import ScoringError
from tenantry.models.fitted import FittedModel
from tenantry.parquet import from_parquet, to_parquet
from tenantry.scoring import predict_rows, score_rows
from tests.unit.models.pipelines import fitted
from tests.unit.tiny_fleet import FEATURES, make_spec, make_table

TABLE = make_table(rows=300)
OWN = FittedModel("logistic", "classification", "own", own=fitted("logistic", TABLE))
POOLED = FittedModel("pooled", "classification", "pooled", pooled=fitted("trees", TABLE))


def without(name: str) -> dict[str, object]:
    return {key: feature for key, feature in FEATURES.items() if key != name}


@pytest.mark.parametrize(
    ("model", "changes", "reason"),
    [
        (OWN, {"features": without("wind")}, "its spec has no more wind, which the model reads"),
        (
            POOLED,
            {"pooled": {"every": "28d", "features": without("dest")}},
            "its spec has no more dest, which the model reads",
        ),
    ],
)
def test_a_model_whose_features_are_gone_says_which(model, changes, reason):
    with pytest.raises(ScoringError, match=reason):
        predict_rows(model, TABLE, make_spec(**changes))


def test_a_feature_of_another_type_is_named_without_its_values():
    rows = TABLE.assign(wind=pd.Series(["secret value"] * len(TABLE), dtype="str"))
    with pytest.raises(ScoringError) as caught:
        predict_rows(OWN, rows, make_spec())
    assert str(caught.value) == "a feature is of another type in its spec than in the model"
    assert caught.value.__cause__ is None


def test_own_models_do_not_care_about_dropped_pooled_features():
    spec = make_spec(pooled={"every": "28d", "features": without("dest")})
    np.testing.assert_array_equal(predict_rows(OWN, TABLE, spec), OWN.predict(TABLE, spec))


def test_scored_rows_keep_the_order_and_index_of_the_rows():
    spec = make_spec(predict={"window": "7d", "start": "2013-09-03", "threshold": 0.3})
    rows = TABLE.iloc[::-7]
    scored = score_rows(OWN, rows, spec)
    assert scored.index.equals(rows.index)
    assert (scored["decision"] == (scored["probability"] >= 0.3)).all()
    assert (scored["reasons"].notna() == scored["decision"]).all()


def test_scored_rows_survive_parquet():
    spec = make_spec(
        predict={"window": "7d", "start": "2013-09-03", "explain": {"rows": "all", "top": 1}}
    )
    scored = score_rows(OWN, TABLE.head(20), spec)
    read = from_parquet(to_parquet(scored))
    assert [list(reasons) for reasons in read["reasons"]] == scored["reasons"].to_list()
    assert (read["probability"] == scored["probability"].to_numpy()).all()


def test_no_rows_are_scored_as_no_rows():
    scored = score_rows(OWN, TABLE.iloc[:0], make_spec())
    assert list(scored) == ["number", "event_time", "probability", "decision", "reasons"]
    assert scored.empty
