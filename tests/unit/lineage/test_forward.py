"""From a snapshot, a source file or a model to all that it influenced."""

import pytest

from tenantry import layout
from tenantry.lineage.forward import trace_forward, trace_source
from tenantry.lineage.shelf import Shelf
from tenantry.places import parse_key
from tests.unit.answered import answer
from tests.unit.small_store import PRODUCT, SmallStore, week


@pytest.fixture
def made():
    """`aa` and `ua` are pooled, `b6` denied; `ua` and `b6` have models and predictions."""
    small = SmallStore()
    small.shas = {name: small.snapshot(name, 10, file=f"{name}.csv") for name in ("aa", "b6", "ua")}
    small.pooled = small.pool(10, ["aa", "ua"], denied=["b6"])
    small.own = small.model("aa", 10, small.shas["aa"])
    small.stands = small.model("ua", 10, small.shas["ua"], pooled=small.pooled)
    name = f"default/{small.pooled.version}"
    small.weighed = small.model("b6", 10, small.shas["b6"], weighed=name)
    small.later = small.snapshot("ua", 30, months=("a", "b", "c"))
    small.receipt = small.predict(small.stands, week(2), small.later, number=30)
    small.judgement = small.judge(small.receipt, small.later, number=30)
    return small


def ahead(made, key):
    return trace_forward(Shelf(made.store), parse_key(key))


def reached(node):
    return {(one.kind, one.name) for one in node.walk()}


def test_a_snapshot_reaches_models_predictions_judgements_and_through_pooled_models_others(made):
    node = ahead(made, layout.snapshot(PRODUCT, "aa", made.shas["aa"]))
    assert reached(node) == {
        ("snapshot", made.shas["aa"]),
        ("model", made.own.version),
        ("pooled", f"default/{made.pooled.version}"),
        ("model", made.stands.version),
        ("model", made.weighed.version),
        ("prediction", week(2).id),
        ("judgement", week(2).id),
    }
    relations = {one.name: one.relation for one in node.walk() if one.kind == "model"}
    assert relations[made.stands.version] == "part of"
    assert relations[made.weighed.version] == "weighed against"


def test_a_model_reaches_the_logged_answers_that_it_gave(made):
    logged = answer(made.store, PRODUCT, "ua", week(3), model=made.stands.version)
    folder = layout.model_folder(PRODUCT, "ua", made.stands.version)
    node = ahead(made, f"{folder}model.skops")
    assert logged.key in {one.key for one in node.walk() if one.relation == "answered"}


def test_who_denies_pooling_reaches_no_other_tenant_and_that_is_told(made):
    node = ahead(made, layout.snapshot(PRODUCT, "b6", made.shas["b6"]))
    assert reached(node) == {("snapshot", made.shas["b6"]), ("model", made.weighed.version)}
    assert node.facts["pooled"] == "the tenant's rows are in 0 of 1 pooled models, denied to 1"


def test_other_rows_of_a_contributor_do_not_reach_the_pooled_model(made):
    node = ahead(made, layout.snapshot(PRODUCT, "ua", made.later))
    assert reached(node) == {
        ("snapshot", made.later),
        ("prediction", week(2).id),
        ("judgement", week(2).id),
    }


@pytest.mark.parametrize("name", ["aa.csv", "ewr:aa.csv"])
def test_a_source_file_reaches_what_its_snapshots_do(made, name):
    node = trace_source(Shelf(made.store), PRODUCT, name)
    assert {one for one in reached(node) if one[0] == "snapshot"} == {("snapshot", made.shas["aa"])}
    assert ("model", made.stands.version) in reached(node)


def test_a_source_table_reaches_all_that_read_it_or_one_tenants(made):
    shelf = Shelf(made.store)
    everyone = trace_source(shelf, PRODUCT, "ewr:flights")
    assert {one.name for one in everyone.below} == {*made.shas.values(), made.later}
    assert {one.name for one in trace_source(shelf, PRODUCT, "flights", tenant="aa").below} == {
        made.shas["aa"]
    }


@pytest.mark.parametrize(
    ("key", "kinds"),
    [
        (
            lambda it: f"{layout.models_folder(PRODUCT, 'ua')}{it.stands.version}",
            {"prediction", "judgement"},
        ),
        (
            lambda it: layout.pooled_folder(PRODUCT, "default", it.pooled.version),
            {"model", "prediction", "judgement"},
        ),
        (lambda it: it.receipt.key, {"judgement"}),
        (lambda it: layout.features(PRODUCT, "ua", "f" * 64), {"model", "prediction"}),
        (
            lambda it: next(k for k in it.store.objects if "/ua/snapshots/chunks/" in k),
            {"snapshot", "model"},
        ),
    ],
)
def test_other_things_reach_what_was_made_from_them(made, key, kinds):
    assert kinds <= {kind for kind, _ in reached(ahead(made, key(made)))}


def test_nothing_is_made_from_a_champions_pointer(made):
    with pytest.raises(ValueError, match="nothing is made from a champion; forward goes from"):
        ahead(made, layout.champion(PRODUCT, "ua"))


def test_backward_and_forward_agree(made):
    """Whatever a prediction comes from reaches that prediction."""
    from tenantry.lineage.backward import trace_back

    origin = trace_back(Shelf(made.store), parse_key(made.receipt.key))
    for node in origin.walk():
        if node.kind in ("snapshot", "model", "pooled", "features"):
            assert ("prediction", week(2).id) in reached(ahead(made, node.key)), node.kind
