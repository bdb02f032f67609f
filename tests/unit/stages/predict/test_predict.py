from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from tenantry import layout
from tenantry.champions import Reign, Restored, read_champion
from tenantry.crowning import crown
from tenantry.digests import sha256
from tenantry.errors import ModelFileError, ScoringError
from tenantry.explain import contributions
from tenantry.models.files import load_model
from tenantry.packed.save import Packed, save_packed
from tenantry.parquet import from_parquet
from tenantry.serving.records import read_record
from tenantry.stages.predict import predict
from tests.unit.memory_store import MemoryStore
from tests.unit.models.pipelines import fitted
from tests.unit.stages.tenancy import (
    AUGUST,
    SEPTEMBER,
    WEEK,
    WINDOWS,
    Tenancy,
    in_window,
    read,
    receipts,
)
from tests.unit.tiny_fleet import AS_OF, FEATURES, make_table

FIRST = WINDOWS[0]
EXPLAIN_ALL = {"window": "7d", "start": "2013-09-03", "explain": {"rows": "all", "top": 2}}


# --- which model predicts a window ----------------------------------------------------------------


@pytest.mark.parametrize("mode", ["shadow", "canary"])
def test_the_challenger_that_the_gate_passed_over_is_published_beside_the_champion(
    tenancy, trained, mode
):
    challenger = {"share": 0.2, "mode": mode}
    tried = tenancy.with_spec(serving={"enabled": True, "challenger": challenger})
    result = predict(tried.predict_job(AS_OF, FIRST))
    card = trained[1]["september"]
    assert result.facts["tries"] == card.version
    assert f"tries {card.version} ({mode})" in result.message
    record = read_record(tried.store, "arrival-delay", "ua", result.facts["trial_record"])
    assert (record.version, record.recipe, record.log.share) == (card.version, "trees", 0.0)
    plain = tenancy.with_spec(serving={"enabled": True})
    assert "tries" not in predict(plain.predict_job(AS_OF, FIRST)).facts
    tenancy.crown(card)
    assert "no challenger to try" in predict(tried.predict_job(AS_OF, FIRST)).message


def test_every_window_is_predicted_by_the_model_that_reigned_when_it_began(tenancy, trained):
    late = tenancy.crown(trained[1]["september"])
    result = predict(tenancy.predict_job(AS_OF, *WINDOWS))
    models = {window: receipt.model for window, receipt in receipts(tenancy).items()}
    august = trained[1]["august"].version
    assert models == dict(zip(WINDOWS, [august, *[late.version] * 3], strict=True))
    assert not any(receipt.in_sample for receipt in receipts(tenancy).values())
    assert result.facts["windows"] == 4
    assert result.facts["in_sample"] == 0
    assert len(result.keys) == 4


def roll_back(tenancy: Tenancy, since: datetime) -> Reign:
    """Restore the first model."""
    first = read_champion(tenancy.store, "arrival-delay", "ua").earliest
    restored = Restored(
        since=first.since, version=first.version, turn=first.turn, who="a", why="b", when=since
    )
    reign = first.model_copy(update={"since": since, "turn": 1, "restores": restored})
    crown(tenancy.store, "arrival-delay", "ua", reign)
    return reign


def test_after_a_rollback_no_window_is_predicted_by_the_revoked_model(tenancy, trained):
    tenancy.crown(trained[1]["september"])
    restored = roll_back(tenancy, AS_OF - WEEK)
    predict(tenancy.predict_job(AS_OF, *WINDOWS))
    found = receipts(tenancy)
    assert {receipt.model for receipt in found.values()} == {restored.version}
    assert not any(receipt.in_sample for receipt in found.values())


def test_a_run_before_the_rollback_gives_what_it_gave(tenancy, trained):
    late = tenancy.crown(trained[1]["september"])
    roll_back(tenancy, AS_OF)
    predict(tenancy.predict_job(AS_OF - WEEK, *WINDOWS[:3]))
    models = [receipt.model for receipt in receipts(tenancy).values()]
    assert models == [trained[1]["august"].version, late.version, late.version]


def test_a_window_predicted_by_the_revoked_model_stays_as_it_is(tenancy, trained):
    late = tenancy.crown(trained[1]["september"])
    predict(tenancy.predict_job(AS_OF, WINDOWS[1]))
    before = dict(tenancy.store.objects)
    roll_back(tenancy, AS_OF)
    predict(tenancy.predict_job(AS_OF, WINDOWS[2]))
    assert receipts(tenancy)[WINDOWS[1]].model == late.version
    assert receipts(tenancy)[WINDOWS[2]].model == trained[1]["august"].version
    changed = [key for key in before if before[key] != tenancy.store.objects[key]]
    assert not [key for key in changed if "/predictions/" in key]


def test_windows_before_the_first_model_are_predicted_by_it_in_sample(trained):
    original, cards = trained
    tenancy = original.copy()
    tenancy.crown(cards["september"])
    result = predict(tenancy.predict_job(AS_OF, *WINDOWS))
    found = {window: receipt.in_sample for window, receipt in receipts(tenancy).items()}
    assert found == dict(zip(WINDOWS, [True, False, False, False], strict=True))
    assert result.facts["in_sample"] == 1
    assert "1 window in sample" in result.message


def test_a_model_crowned_later_than_the_run_is_unknown(tenancy, trained):
    early = FIRST.end
    tenancy.crown(trained[1]["september"], since=early + timedelta(days=1))
    predict(tenancy.predict_job(early, FIRST))
    assert receipts(tenancy)[FIRST].model == trained[1]["august"].version


@pytest.mark.parametrize("windows", [(), (FIRST,)])
def test_without_a_model_windows_stay_open(windows):
    tenancy = Tenancy()
    result = predict(tenancy.predict_job(AS_OF, *windows))
    assert receipts(tenancy) == {}
    assert result.message == ("no model reigns yet; 1 window stay open" if windows else "")
    assert result.status == ("fell_back" if windows else "done")


def test_a_model_whose_features_the_spec_dropped_is_stood_in_for(tenancy, trained):
    less = {name: what for name, what in FEATURES.items() if name != "wind"}
    narrow = tenancy.with_spec(features=less, pooled={"every": "28d"})
    narrow.table = tenancy.table.drop(columns="wind")
    with pytest.raises(ScoringError, match="its spec has no more wind, which the model reads"):
        predict(narrow.predict_job(AS_OF, FIRST))
    stand_in = narrow.crown(narrow.train(SEPTEMBER, own=_by_hour(narrow.known(SEPTEMBER))))
    predict(narrow.predict_job(AS_OF, FIRST))
    (receipt,) = receipts(narrow).values()
    assert (receipt.model, receipt.in_sample) == (stand_in.version, True)


def _by_hour(rows: pd.DataFrame) -> Pipeline:
    labelled = rows[rows["label"].notna()]
    columns = ColumnTransformer([("numbers", StandardScaler(), ["hour"])])
    pipeline = Pipeline([("columns", columns), ("estimator", LogisticRegression())])
    return pipeline.fit(labelled[["hour"]], labelled["label"])


# --- what is written ------------------------------------------------------------------------------


def test_predictions_are_the_models_and_the_receipt_commits_them(tenancy, trained):
    predict(tenancy.predict_job(AS_OF, FIRST))
    (receipt,) = receipts(tenancy).values()
    rows = in_window(tenancy.known(AS_OF), FIRST)
    model, card = load_model(tenancy.store, "arrival-delay", "ua", trained[1]["august"].version)
    frame = read(tenancy, receipt)
    expected = model.predict(rows, tenancy.spec)
    assert list(frame) == ["number", "event_time", "probability", "decision", "reasons"]
    np.testing.assert_array_equal(frame["probability"], expected)
    np.testing.assert_array_equal(frame["number"], rows["number"])
    np.testing.assert_array_equal(frame["decision"], expected >= 0.5)
    assert receipt.rows == len(rows) == receipt.files[0].rows
    assert receipt.decided == int((expected >= 0.5).sum()) == receipt.explained
    assert receipt.mean_probability == pytest.approx(expected.mean())
    assert receipt.files[0].sha256 == sha256(tenancy.store.get(receipt.files[0].key).content)
    assert receipt.model_digest == card.file_digest


def test_a_packed_model_predicts_the_same_with_the_same_reasons(trained):
    """Trees to the bit; what scikit-learn's file holds is not even read."""
    original, _ = trained
    spec = original.with_spec(predict=EXPLAIN_ALL).spec
    found = {}
    for is_packed in (True, False):
        own = Tenancy(spec, original.table, MemoryStore())
        card = own.train(AUGUST, own=fitted("encoded", own.known(AUGUST)))
        model, _ = load_model(own.store, "arrival-delay", "ua", card.version)
        packed = save_packed(own.store, model, card, own.table, spec) if is_packed else Packed()
        own.crown(card, packed=packed.digest)
        if is_packed:
            folder = layout.model_folder("arrival-delay", "ua", card.version)
            own.store.delete(f"{folder}model.skops")
        predict(own.predict_job(AS_OF, *WINDOWS))
        found[is_packed] = pd.concat([read(own, one) for one in receipts(own).values()])
    one, other = found[True], found[False]
    pd.testing.assert_frame_equal(one.drop(columns="reasons"), other.drop(columns="reasons"))
    for some, same in zip(one["reasons"], other["reasons"], strict=True):
        for told, expected in zip(some, same, strict=True):
            assert told == expected | {"contribution": pytest.approx(expected["contribution"])}


def test_a_packed_model_that_was_harmed_predicts_nothing(tenancy, trained):
    tenancy.crown(trained[1]["september"], packed="0" * 64)
    with pytest.raises(ModelFileError, match=r"packed\.bin"):
        predict(tenancy.predict_job(AS_OF, *WINDOWS))


def test_a_feature_of_another_type_than_the_packed_model_reads_is_refused(trained):
    original, _ = trained
    own = Tenancy(original.spec, original.table, MemoryStore())
    card = own.train(AUGUST, own=fitted("encoded", own.known(AUGUST)))
    model, _ = load_model(own.store, "arrival-delay", "ua", card.version)
    packed = save_packed(own.store, model, card, own.table, own.spec)
    own.crown(card, packed=packed.digest)
    for change in ({"dest": own.table["hour"]}, {"hour": own.table["dest"]}):
        other = Tenancy(own.spec, own.table.assign(**change), own.store)
        with pytest.raises(ScoringError, match="another type"):
            predict(other.predict_job(AS_OF, FIRST))


def test_only_decided_rows_come_with_reasons(tenancy):
    predict(tenancy.predict_job(AS_OF, *WINDOWS))
    frame = pd.concat([read(tenancy, receipt) for receipt in receipts(tenancy).values()])
    assert frame["decision"].any()
    np.testing.assert_array_equal(frame["reasons"].notna(), frame["decision"])


def test_reasons_are_the_largest_contributions_with_titles_and_values(tenancy, trained):
    features = FEATURES | {"wind": {"kind": "numeric", "title": "wind at departure", "unit": "kn"}}
    tenancy.spec = tenancy.with_spec(features=features, predict=EXPLAIN_ALL).spec
    predict(tenancy.predict_job(AS_OF, FIRST))
    (receipt,) = receipts(tenancy).values()
    frame = read(tenancy, receipt)
    rows = in_window(tenancy.known(AS_OF), FIRST)
    model, _ = load_model(tenancy.store, "arrival-delay", "ua", trained[1]["august"].version)
    parts = contributions(model, rows, tenancy.spec).contributions
    assert receipt.explained == len(frame) == len(rows)
    for place, reasons in enumerate(frame["reasons"]):
        largest = parts.iloc[place].abs().nlargest(2)
        assert [one["feature"] for one in reasons] == list(largest.index)
        signed = parts.iloc[place][largest.index].tolist()
        assert [one["contribution"] for one in reasons] == signed
    words = [one for reasons in frame["reasons"] for one in reasons if one["feature"] == "wind"]
    assert {one["title"] for one in words} == {"wind at departure"}
    assert all(one["value"].endswith(" kn") or one["value"] == "missing" for one in words)


@pytest.mark.parametrize("explain", [{"rows": "none"}, {"rows": "all", "top": 0}])
def test_reasons_can_be_turned_off(tenancy, explain):
    tenancy.spec = tenancy.with_spec(predict=EXPLAIN_ALL | {"explain": explain}).spec
    predict(tenancy.predict_job(AS_OF, FIRST))
    (receipt,) = receipts(tenancy).values()
    assert receipt.explained == 0
    assert read(tenancy, receipt)["reasons"].isna().all()


def test_a_window_without_rows_gets_an_empty_receipt(tenancy):
    when = tenancy.table["event_time"]
    tenancy.table = tenancy.table[(when < FIRST.start) | (when >= FIRST.end)]
    result = predict(tenancy.predict_job(AS_OF, FIRST, WINDOWS[1]))
    empty = receipts(tenancy)[FIRST]
    assert (empty.rows, empty.decided, empty.mean_probability, empty.files) == (0, 0, None, ())
    assert receipts(tenancy)[WINDOWS[1]].rows > 0
    assert result.facts["windows"] == 2


def test_values_of_regression_have_no_threshold_and_no_decision():
    tenancy = Tenancy(table=make_table(rows=600, task="regression")).with_spec(
        label={"column": "arr_delay", "task": "regression"}, predict=EXPLAIN_ALL
    )
    tenancy.crown(tenancy.train(AUGUST, "ridge"))
    predict(tenancy.predict_job(AS_OF, FIRST))
    (receipt,) = receipts(tenancy).values()
    assert (receipt.threshold, receipt.decided) == (None, 0)
    assert receipt.explained == receipt.rows > 0


def test_a_threshold_by_cost_decides_as_its_number_would(tenancy):
    by_number, by_cost = (
        {"window": "7d", "start": "2013-09-03", "threshold": threshold}
        for threshold in (0.2, {"false_positive": 1, "false_negative": 4})
    )
    predict(tenancy.with_spec(predict=by_cost).predict_job(AS_OF, FIRST))
    receipt = receipts(tenancy)[FIRST]
    rows = read(tenancy, receipt)
    assert receipt.threshold == pytest.approx(0.2)
    assert receipt.decided == (rows["probability"] >= receipt.threshold).sum() > 0
    assert by_number["threshold"] == receipt.threshold


def test_a_threshold_by_rate_is_the_models_own_and_settled_without_training_anew(tenancy, trained):
    version = trained[1]["august"].version
    folder = f"tenants/arrival-delay/ua/models/{version}/"
    holdout = from_parquet(tenancy.store.get(f"{folder}evaluation.parquet").content)
    for window, rate in zip(WINDOWS, (0.1, 0.3), strict=False):
        rule = {"window": "7d", "start": "2013-09-03", "threshold": {"target_rate": rate}}
        predict(tenancy.with_spec(predict=rule).predict_job(AS_OF, window))
        threshold = receipts(tenancy)[window].threshold
        assert (holdout["challenger"] >= threshold).mean() == pytest.approx(rate, abs=0.01)


def test_intervals_lie_about_the_values_and_are_in_the_receipt():
    tenancy = Tenancy(table=make_table(rows=600, task="regression")).with_spec(
        label={"column": "arr_delay", "task": "regression"},
        predict=EXPLAIN_ALL | {"interval": 0.8},
        model={"metric": "rmse"},
    )
    card = tenancy.train(AUGUST, "ridge")
    tenancy.crown(card)
    predict(tenancy.predict_job(AS_OF, FIRST))
    receipt = receipts(tenancy)[FIRST]
    rows = read(tenancy, receipt)
    assert receipt.interval.level == 0.8
    assert receipt.interval.low < 0 < receipt.interval.high
    assert np.allclose(rows["low"], rows["probability"] + receipt.interval.low)
    assert np.allclose(rows["high"], rows["probability"] + receipt.interval.high)


def test_hostile_text_in_keys_and_categories_stays_text(tenancy):
    evil = ["<script>alert(1)</script>", '=HYPERLINK("http://x")', "{{$.inputs}}", "'; DROP --"]
    names = pd.Series([f"{evil[n % 4]}{n}" for n in range(len(tenancy.table))], dtype="str")
    tenancy.table = tenancy.table.assign(number=names, dest=evil[0])
    tenancy.spec = tenancy.with_spec(predict=EXPLAIN_ALL).spec
    result = predict(tenancy.predict_job(AS_OF, FIRST))
    (receipt,) = receipts(tenancy).values()
    frame = read(tenancy, receipt)
    assert set(frame["number"]) == set(in_window(tenancy.table, FIRST)["number"])
    values = {one["value"] for reasons in frame["reasons"] for one in reasons}
    assert evil[0] in values
    assert not any(text in result.message + receipt.to_json().decode() for text in evil)


# --- faults ---------------------------------------------------------------------------------------


def test_a_model_file_that_was_changed_is_refused(tenancy, trained):
    version = trained[1]["august"].version
    key = f"tenants/arrival-delay/ua/models/{version}/model.skops"
    tenancy.store.put(key, b"another")
    with pytest.raises(ModelFileError, match=r"model\.skops"):
        predict(tenancy.predict_job(AS_OF, FIRST))
    assert receipts(tenancy) == {}


def test_a_pointer_to_another_file_than_the_cards_is_refused(tenancy, trained):
    tenancy.crown(trained[1]["september"], digest="0" * 64)
    with pytest.raises(ModelFileError, match=r"card\.json: names another file"):
        predict(tenancy.predict_job(AS_OF, WINDOWS[-1]))
