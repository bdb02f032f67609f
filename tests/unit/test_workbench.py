"""The workbench does what the pipeline does, the same frames and gate, and writes nothing."""

import pandas as pd
import pytest
import yaml
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression

from tenantry.columns import LABEL, LABEL_KNOWN_AT
from tenantry.erasure.subject import erase_rows, read_keys
from tenantry.erasure.tenant import erase_tenant
from tenantry.erasure.tombstones import Tombstone
from tenantry.errors import ModelFileError, SpecError
from tenantry.features.tables import read_features
from tenantry.jobs import Job
from tenantry.ledger import Due, Entry, Outcome
from tenantry.settings import load_settings
from tenantry.sources.connections import load_connections
from tenantry.stages.build_features import build_features
from tenantry.stages.ingest import ingest
from tenantry.stages.train_pooled import train_pooled
from tenantry.store.open import open_store
from tenantry.times import parse_moment
from tenantry.training.candidates import fit_candidate
from tenantry.training.folds import Spans
from tenantry.workbench import Workbench
from tests.crash.tiny import FIRST, PRODUCT, TENANTS, make_tiny_fleet

CALLS = []


class Counted(LogisticRegression):
    """Tells how often it was fitted."""

    def fit(self, X, y, sample_weight=None):  # noqa: N803
        CALLS.append(len(y))
        return super().fit(X, y, sample_weight)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    home = tmp_path_factory.mktemp("bench")
    environ = make_tiny_fleet(home) | {"TENANTRY_STORE": (home / "store").as_uri()}
    return load_settings(environ)


@pytest.fixture
def elsewhere(settings, tmp_path):
    """The same sources over a store of its own."""
    environ = settings.environ | {"TENANTRY_STORE": (tmp_path / "store").as_uri()}
    return load_settings(environ)


@pytest.fixture(scope="module")
def bench(settings):
    return Workbench(PRODUCT, as_of=FIRST, settings=settings)


@pytest.fixture(scope="module")
def found(bench):
    return bench.compare(LogisticRegression(C=0.02))


def test_all_active_tenants_are_on_it(bench):
    assert bench.tenants == TENANTS
    assert repr(bench) == (
        "Workbench(product='arrival-delay', as_of='2013-10-01', "
        "tenants=('as', 'ha', 'oo'), region='')"
    )


def test_a_frame_is_the_table_that_the_pipeline_builds(bench, settings):
    spec, store = bench.specs["as"], open_store(settings)
    connections = load_connections(settings.connections, settings.environ)
    entry = Entry(tenant="as", due=(Due(action="train", reason="no model yet"),))
    for stage, run in (("ingest", ingest), ("build_features", build_features)):
        job = Job("r", parse_moment(FIRST), spec, entry, store, connections)
        outcome = Outcome(stage=stage, status="done", facts=run(job).facts)
        entry = entry.model_copy(update={"outcomes": (*entry.outcomes, outcome)})
    sha = entry.fact("build_features", "features")
    pd.testing.assert_frame_equal(
        bench.frame("as"), read_features(store, PRODUCT, "as", sha), check_like=True
    )


def test_nothing_is_known_too_early(settings):
    early = Workbench(PRODUCT, as_of="2013-06-01", tenants=["as"], settings=settings).frame("as")
    known = early[early[LABEL].notna()]
    assert (known[LABEL_KNOWN_AT] <= parse_moment("2013-06-01")).all()
    assert early["event_time"].max() <= parse_moment("2013-06-01")


def test_a_frame_is_the_callers_own(bench):
    frame = bench.frame("ha")
    frame[LABEL] = 0.0
    assert bench.frame("ha")[LABEL].sum() > 0


def test_candidates_are_those_of_the_spec_in_its_order(bench):
    table = bench.candidates("as")
    assert list(table.index) == ["blended", "pooled", "prior"]
    assert table["chosen"].sum() == 1
    assert table["log_loss"].notna().all()


def test_a_comparison_is_the_gates(found):
    assert list(found.table.index) == list(TENANTS)
    assert found.table.loc["oo", "decision"] == (
        "kept the champion without a comparison: 17 labelled rows of 17 days, 20 of 7 needed"
    )
    row = found.table.loc["as"]
    assert row["gain"] == pytest.approx(row["score of against"] - row["score"])
    assert row["gain_low"] < row["gain"] < row["gain_high"]
    assert row["promoted"] == (row["gain_low"] > 0)
    assert row["decision"].startswith(("promoted: ", "kept the champion, "))
    assert found.sentence.startswith("promoted for ")


def test_what_knows_nothing_is_never_promoted(bench):
    found = bench.compare(DummyClassifier(strategy="prior"), ["as"])
    assert not found.table.loc["as", "promoted"]


def test_what_was_compared_before_is_not_fitted_again(bench):
    first = bench.compare(Counted(C=0.5), ["as"])
    fitted = len(CALLS)
    again = bench.compare(Counted(C=0.5), ["as"])
    assert fitted == len(CALLS) == 1
    pd.testing.assert_frame_equal(first.table, again.table)


def test_a_tenant_that_cannot_be_compared_is_told_beside_the_others(settings):
    bench = Workbench(PRODUCT, as_of="2013-01-20", tenants=["as", "oo"], settings=settings)
    found = bench.compare(LogisticRegression())
    assert "oo" in found.failures
    assert "no decision for" in found.sentence


def test_the_workbench_writes_nothing(settings, tmp_path):
    environ = settings.environ | {"TENANTRY_STORE": (tmp_path / "none").as_uri()}
    bench = Workbench(PRODUCT, as_of=FIRST, tenants=["ha"], settings=load_settings(environ))
    bench.compare(LogisticRegression())
    assert [path for path in (tmp_path / "none").rglob("*") if path.is_file()] == []


def test_unknown_tenants_are_refused_with_the_nearest(settings):
    with pytest.raises(SpecError, match="az: arrival-delay has no such tenant, or it was erased"):
        Workbench(PRODUCT, as_of=FIRST, tenants=["az"], settings=settings)


def test_the_stores_pooled_model_is_used_whoever_is_on_the_bench(bench, elsewhere):
    train_pooled(
        list(bench.specs.values()),
        parse_moment(FIRST),
        run="r",
        store=open_store(elsewhere),
        connections=load_connections(elsewhere.connections, elsewhere.environ),
        code_version="test",
    )
    scores = [
        Workbench(PRODUCT, as_of=FIRST, tenants=["as"], settings=one).candidates("as").loc["pooled"]
        for one in (elsewhere, bench.settings)
    ]
    whole = bench.candidates("as").loc["pooled"]
    assert scores[0]["log_loss"] == whole["log_loss"]
    assert scores[1]["log_loss"] != whole["log_loss"], "without one it is made of those there"


# --- from the winner to a candidate ---------------------------------------------------------------


def test_the_candidate_is_the_estimator_that_was_compared(bench, found, tmp_path, monkeypatch):
    source = found.as_candidate("steady", module="found_here")
    (tmp_path / "found_here.py").write_text(source.function)
    (tmp_path / "recipes.yaml").write_text(source.allowed)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("TENANTRY_RECIPES", str(tmp_path / "recipes.yaml"))
    (name,) = yaml.safe_load(source.spec)["model"]["candidates"]
    spans = Spans.of(bench.specs["as"], parse_moment(FIRST))
    made = fit_candidate(name, bench._lesson("as").until(spans.holdout), {})
    trial = bench._fit("as", found.estimator, stacked=False)
    table = bench.frame("as")
    said = [model.predict(table, bench.specs["as"]) for model in (made, trial)]
    assert said[0] == pytest.approx(said[1])
    assert (made.recipe, made.form) == ("found_here:fit_steady", "own")


def test_a_stacked_estimator_is_no_recipe_of_others(bench):
    found = bench.compare(LogisticRegression(), ["as"], stacked=True)
    with pytest.raises(ValueError, match="can only be a recipe of the library's own"):
        found.as_candidate("steady")


def test_models_that_the_store_refuses_make_no_candidate(bench):
    found = bench.compare(ExtraTreesClassifier(n_estimators=3, random_state=7), ["as"])
    assert "could not be kept" in found.sentence
    with pytest.raises(ModelFileError, match="ExtraTreesClassifier"):
        found.as_candidate("forest")


@pytest.mark.parametrize("name", ["Big", "a-b", "class", "", "x" * 41])
def test_names_that_cannot_be_candidates_are_refused(found, name):
    with pytest.raises(ValueError, match="is no name of a candidate"):
        found.as_candidate(name)


# --- erasure --------------------------------------------------------------------------------------


ORDERED = {"who": "ann", "why": "asked", "when": parse_moment("2026-11-24T12:00")}


def test_erased_rows_are_not_in_a_frame(bench, elsewhere):
    spec = bench.specs["as"]
    flight = str(int(bench.frame("as")["flight"].iloc[0]))
    keys = read_keys(spec, ("flight",), ((flight,),))
    erase_rows(open_store(elsewhere), spec, keys, active=TENANTS, **ORDERED)
    frame = Workbench(PRODUCT, as_of=FIRST, tenants=["as"], settings=elsewhere).frame("as")
    assert 0 < len(frame) < len(bench.frame("as"))
    assert float(flight) not in set(frame["flight"])


def test_an_erased_tenant_is_not_on_the_bench(elsewhere):
    stone = Tombstone(product=PRODUCT, tenant="oo", **ORDERED)
    erase_tenant(open_store(elsewhere), stone, TENANTS)
    assert Workbench(PRODUCT, as_of=FIRST, settings=elsewhere).tenants == ("as", "ha")
    with pytest.raises(SpecError, match="was erased"):
        Workbench(PRODUCT, as_of=FIRST, tenants=["oo"], settings=elsewhere)
