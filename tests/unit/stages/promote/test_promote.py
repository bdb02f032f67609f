from datetime import timedelta

import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from tenantry import layout
from tenantry.curves import read_curves
from tenantry.errors import ModelFileError
from tenantry.events import Event, list_events, read_event
from tenantry.ledger import Due
from tenantry.models.files import load_model
from tenantry.packed.load import load_packed
from tenantry.parquet import from_parquet, to_parquet
from tenantry.stages.promote import promote
from tenantry.training.folds import known_by
from tests.unit.models.pipelines import fitted
from tests.unit.stages.tenancy import SEPTEMBER, Tenancy, champion, events
from tests.unit.tiny_fleet import AS_OF, FEATURES, make_spec

LATER = AS_OF - timedelta(days=1)


def last_event(tenancy: Tenancy) -> Event:
    return read_event(tenancy.store, list_events(tenancy.store, "arrival-delay", "ua")[-1].key)


# --- a first model --------------------------------------------------------------------------------


def test_a_first_model_is_crowned_as_of_the_run(tenancy, october):
    result = promote(tenancy.promote_job(AS_OF, october))
    (reign,) = champion(tenancy).reigns
    assert (reign.since, reign.version, reign.digest) == (
        AS_OF,
        october.version,
        october.file_digest,
    )
    assert reign.trained_until == AS_OF
    assert reign.training_digest == tenancy.spec.training_digest
    assert reign.recipe == "logistic"
    assert reign.run == "r"
    assert reign.gate == result.message
    assert result.message.startswith("promoted as first model: log loss .")
    assert result.status == "done"
    assert result.facts["promoted"] is True
    assert result.facts["champion"] == october.version
    assert result.facts["rival"] == "prior"
    assert result.facts["gain"] == pytest.approx(
        result.facts["rival_score"] - result.facts["challenger_score"]
    )
    assert result.facts["gain_low"] < result.facts["gain"] < result.facts["gain_high"]


def test_a_promotion_leaves_an_event_and_the_challengers_curves(tenancy, october):
    result = promote(tenancy.promote_job(AS_OF, october))
    assert events(tenancy) == [("promoted", october.version, 0)]
    event = last_event(tenancy)
    assert event.sentence == result.message
    assert event.training_digest == tenancy.spec.training_digest
    curves = read_curves(tenancy.store, "arrival-delay", "ua", october.version)
    assert curves.rows == result.facts["rows"]
    assert curves.score == pytest.approx(result.facts["challenger_score"])
    assert curves.roc
    assert {driver.feature for driver in curves.drivers} <= set(FEATURES)
    assert all(key in tenancy.store.objects for key in result.keys)


@pytest.mark.parametrize("noise", [0.0, 3.0], ids=["promoted", "fell back"])
def test_the_event_comes_last_since_it_says_that_all_is_done(tenancy, noise):
    promote(tenancy.promote_job(AS_OF, tenancy.train(AS_OF, noise=noise)))
    left = list(tenancy.store.objects)
    for event in [key for key in left if "/events/" in key]:
        version = "-".join(event.split("/")[-1].split("-")[2:4]).removesuffix(".json")
        page = f"tenants/arrival-delay/ua/models/{version}/card.html"
        assert left.index(page) < left.index(event)


def test_a_challenger_that_fails_one_kind_of_rows_is_stopped_by_name(tenancy):
    gate = {"slices": ["dest", "hour"], "slice_tolerance": 0.02, "tolerance": 0.5}
    tenancy.spec = make_spec(gate={"holdout": "60d"} | gate)
    fair = tenancy.train(AS_OF)
    key = f"tenants/arrival-delay/ua/models/{fair.version}/evaluation.parquet"
    rows = from_parquet(tenancy.store.get(key).content)
    hurt = rows["number"].isin(tenancy.table.loc[tenancy.table["dest"] == "ORD", "number"])
    rows["challenger"] = rows["challenger"].where(~hurt, 0.01)
    tenancy.store.objects.pop(key)
    tenancy.store.put(key, to_parquet(rows))
    tenancy.crown(tenancy.train(SEPTEMBER - timedelta(days=60)))
    result = promote(tenancy.promote_job(AS_OF, fair))
    assert result.message.startswith(
        "kept the champion, the challenger is worse than the champion "
        "by more than .020 where dest is ORD: "
    )
    assert result.facts["promoted"] is False
    assert result.facts["slice"] == "dest is ORD"
    assert last_event(tenancy).sentence == result.message


def test_a_first_model_worse_than_the_base_rate_gives_way_to_it(tenancy):
    challenger = tenancy.train(AS_OF, noise=3.0)
    result = promote(tenancy.promote_job(AS_OF, challenger))
    current = champion(tenancy).current
    assert result.status == "fell_back"
    assert result.message.startswith(
        "the base rate instead of the challenger, "
        "which is worse than the base rate by more than .010: "
    )
    assert (result.facts["promoted"], result.facts["champion"]) == (False, current.version)
    assert current.version != challenger.version
    assert (current.recipe, current.since) == ("prior", AS_OF)
    model, card = load_model(
        tenancy.store, "arrival-delay", "ua", current.version, file_digest=current.digest
    )
    rows = tenancy.known(AS_OF)
    rate = rows.loc[known_by(rows, AS_OF), "label"].mean()
    assert model.predict(rows, tenancy.spec) == pytest.approx(rate, abs=0.001)
    assert card.selection == f"instead of {challenger.version} (logistic), which was worse"
    assert set(events(tenancy)) == {
        ("kept", challenger.version, 0),
        ("promoted", current.version, 0),
    }
    assert read_curves(tenancy.store, "arrival-delay", "ua", current.version).score is not None
    packed = load_packed(
        tenancy.store, "arrival-delay", "ua", current.version, file_digest=current.packed
    )
    assert packed.predict_row({}, {}) == pytest.approx(rate, abs=0.001)


def test_a_challenger_that_wins_is_packed_before_it_reigns(tenancy):
    challenger = tenancy.train(AS_OF, own=fitted("encoded", tenancy.known(AS_OF)))
    promote(tenancy.promote_job(AS_OF, challenger))
    (reign,) = champion(tenancy).reigns
    packed = load_packed(
        tenancy.store, "arrival-delay", "ua", reign.version, file_digest=reign.packed
    )
    assert packed.form == "own"
    assert not read_curves(tenancy.store, "arrival-delay", "ua", reign.version).not_packed


@pytest.mark.parametrize("tried", [True, False])
def test_a_challenger_that_does_not_win_is_packed_where_servers_try_it(tenancy, tried):
    serving = {"enabled": True, "challenger": {}} if tried else {"enabled": True}
    tenancy.spec = make_spec(gate={"holdout": "60d"}, serving=serving)
    tenancy.crown(tenancy.train(SEPTEMBER - timedelta(days=60)))
    own = fitted("encoded", tenancy.known(AS_OF))
    challenger = tenancy.train(AS_OF, own=own, noise=3.0)
    assert promote(tenancy.promote_job(AS_OF, challenger)).facts["promoted"] is False
    folder = layout.model_folder("arrival-delay", "ua", challenger.version)
    assert (tenancy.store.find(f"{folder}packed.bin") is not None) is tried


def test_what_cannot_be_packed_reigns_without_and_its_curves_say_why(tenancy, october):
    promote(tenancy.promote_job(AS_OF, october))
    (reign,) = champion(tenancy).reigns
    assert (reign.version, reign.packed) == (october.version, "")
    curves = read_curves(tenancy.store, "arrival-delay", "ua", reign.version)
    assert curves.not_packed == "SimpleImputer with these settings is not packed"


def test_a_first_model_worse_than_the_pooled_one_gives_way_to_it(tenancy):
    tenancy.pooled = tenancy.pool()
    challenger = tenancy.train(AS_OF, noise=3.0)
    result = promote(tenancy.promote_job(AS_OF, challenger))
    current = champion(tenancy).current
    model, card = load_model(tenancy.store, "arrival-delay", "ua", current.version)
    assert result.message.startswith("the pooled model instead of the challenger")
    assert (current.recipe, model.form) == ("pooled", "pooled")
    assert card.pooled.version == tenancy.pooled.version


# --- against a champion ---------------------------------------------------------------------------


def test_only_rows_that_the_champion_has_not_seen_count(tenancy, trained, october):
    _, cards = trained
    tenancy.crown(cards["september"])
    result = promote(tenancy.promote_job(AS_OF, october))
    rows = tenancy.known(AS_OF)
    unseen = (rows["event_time"] >= SEPTEMBER) & rows["label"].notna()
    assert result.facts["rows"] == int(unseen.sum())
    assert result.facts["rival"] == "champion"


def test_an_equal_challenger_does_not_replace_a_fresh_champion(tenancy, trained, october):
    _, cards = trained
    reign = tenancy.crown(cards["september"])
    result = promote(tenancy.promote_job(AS_OF, october))
    assert champion(tenancy).current == reign
    assert result.message.startswith("kept the champion, the gain is not clear of .000: log loss ")
    assert result.facts["promoted"] is False
    assert result.facts["champion"] == reign.version
    assert result.status == "done"
    assert events(tenancy) == [("kept", october.version, 0)]


def test_an_equal_challenger_replaces_a_stale_champion(tenancy, trained, october):
    _, cards = trained
    tenancy.crown(cards["august"])
    result = promote(tenancy.promote_job(AS_OF, october))
    assert [reign.version for reign in champion(tenancy).reigns] == [
        cards["august"].version,
        october.version,
    ]
    assert "the champion is 61 days old" in result.message
    assert result.facts["promoted"] is True


def test_a_worse_challenger_does_not_replace_even_a_stale_champion(tenancy, trained):
    _, cards = trained
    reign = tenancy.crown(cards["august"])
    result = promote(tenancy.promote_job(AS_OF, tenancy.train(AS_OF, noise=3.0)))
    assert champion(tenancy).current == reign
    assert "although the champion is 61 days old; the challenger is worse by more" in result.message


def test_a_changed_spec_makes_a_fresh_champion_give_way(tenancy, trained):
    _, cards = trained
    tenancy.crown(cards["september"])
    changed = tenancy.with_spec(timezone="America/New_York")
    result = promote(changed.promote_job(AS_OF, changed.train(AS_OF)))
    assert result.facts["promoted"] is True
    assert "the champion was made by an earlier spec" in result.message


def test_a_champion_that_can_no_longer_score_gives_way(tenancy, trained):
    tenancy.crown(trained[1]["september"])
    less = {name: what for name, what in FEATURES.items() if name != "wind"}
    changed = tenancy.with_spec(features=less, pooled={"every": "28d"})
    challenger = tenancy.train(AS_OF, own=_by_hour(tenancy))
    changed.table = tenancy.table.drop(columns="wind")
    result = promote(changed.promote_job(AS_OF, challenger))
    assert result.facts["promoted"] is True
    assert result.message == (
        "promoted without a comparison: the champion cannot score these rows, "
        "its spec has no more wind, which the model reads"
    )


def _by_hour(tenancy: Tenancy) -> Pipeline:
    rows = tenancy.known(AS_OF)
    rows = rows[rows["label"].notna()]
    columns = ColumnTransformer([("numbers", StandardScaler(), ["hour"])])
    pipeline = Pipeline([("columns", columns), ("estimator", LogisticRegression())])
    return pipeline.fit(rows[["hour"]], rows["label"])


def test_a_backfill_leaves_todays_champion_alone(tenancy, trained, october):
    _, cards = trained
    today = tenancy.crown(october)
    result = promote(tenancy.promote_job(SEPTEMBER, cards["september"]))
    crowned = champion(tenancy)
    assert crowned.current == today
    assert crowned.at(SEPTEMBER).version == cards["september"].version == result.facts["champion"]
    assert "first model" in result.message


# --- again ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [0.0, 3.0], ids=["promoted", "fell back"])
def test_promoting_again_changes_no_byte(tenancy, noise):
    job = tenancy.promote_job(AS_OF, tenancy.train(AS_OF, noise=noise))
    first = promote(job)
    before = dict(tenancy.store.objects)
    second = promote(job)
    assert tenancy.store.objects == before
    new = {"recorded", "training_digest"}  # the event was not there before
    told = {name: fact for name, fact in first.facts.items() if name not in new}
    assert new < first.facts.keys()
    assert (second.message, second.facts, second.status) == (first.message, told, first.status)


def test_a_moment_that_is_decided_again_with_another_spec_gets_another_turn(tenancy, october):
    promote(tenancy.promote_job(AS_OF, october))
    changed = tenancy.with_spec(timezone="America/New_York")
    other = changed.train(AS_OF, "encoded")
    result = promote(changed.promote_job(AS_OF, other))
    assert result.facts["promoted"] is True
    assert champion(tenancy).at(AS_OF).version == other.version
    assert [(event[0], event[2]) for event in events(tenancy)] == [("promoted", 0), ("promoted", 1)]


def test_two_fresh_runs_write_the_same_bytes(trained, october):
    contents = []
    for _ in range(2):
        tenancy = trained[0].copy()
        promote(tenancy.promote_job(AS_OF, october))
        contents.append({key: one.content for key, one in tenancy.store.objects.items()})
    assert contents[0] == contents[1]


# --- nothing to decide, retirement, faults --------------------------------------------------------


def test_without_a_challenger_the_champion_stays(tenancy, trained):
    reign = tenancy.crown(trained[1]["august"])
    before = dict(tenancy.store.objects)
    result = promote(tenancy.promote_job(AS_OF, None))
    assert result.message == f"no challenger; {reign.version} stays"
    assert result.facts == {
        "promoted": False,
        "champion": reign.version,
        "champion_recipe": "logistic",
    }
    assert {key for key in tenancy.store.objects if "/features/" not in key} == {
        key for key in before if "/features/" not in key
    }


def test_a_retired_tenant_is_archived_by_an_event(tenancy, trained):
    reign = tenancy.crown(trained[1]["august"])
    job = tenancy.job(AS_OF, Due(action="retire", reason="its spec says so"))
    result = promote(job)
    assert events(tenancy)[-1][0] == "retired"
    assert last_event(tenancy).as_of == AS_OF
    assert result.message == f"retired: its last champion was {reign.version}"
    assert result.facts["retired"] is True
    (key,) = result.keys
    assert key.endswith("/events/20131001T000000Z-retired.json")
    assert read_event(tenancy.store, key).evidence["champion"] == reign.version
    assert promote(job) == result


def test_a_tenant_without_a_model_can_be_retired():
    tenancy = Tenancy(make_spec())
    result = promote(tenancy.job(AS_OF, Due(action="retire", reason="its spec says so")))
    assert result.message == "retired: it never had a champion"


def test_a_champion_whose_file_was_changed_is_an_error(tenancy, trained, october):
    reign = tenancy.crown(trained[1]["august"])
    folder = f"tenants/arrival-delay/ua/models/{reign.version}/"
    tenancy.store.put(f"{folder}model.skops", b"another")
    with pytest.raises(ModelFileError, match=r"model\.skops"):
        promote(tenancy.promote_job(AS_OF, october))
    assert champion(tenancy).current == reign
