"""The pooled model: whose rows, how many, and never later ones."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tenantry.digests import sha256
from tenantry.errors import TrainingError
from tenantry.models.archive import pack
from tenantry.pooling import definition
from tenantry.training.pooled import (
    contribution,
    fit_pooled,
    pool_rows,
    usual_spans,
)
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table

TENANTS = ("aa", "b6", "ua")


def rows_frame(tenant, **table):
    """Make a rows frame out of a table of the tiny fleet."""
    return make_table(tenant, **table).drop(columns="hour")


def contributions(tenants=TENANTS, as_of=AS_OF, change=lambda rows: rows):
    return [contribution(change(rows_frame(name)), make_spec(name), as_of) for name in tenants]


def bytes_of(pipeline):
    return sha256(pack({"pipeline": pipeline}))


@pytest.fixture(scope="module")
def sample():
    return pool_rows(contributions(), 10_000)


@pytest.fixture(scope="module")
def fit(sample):
    return fit_pooled(sample, [make_spec(name) for name in TENANTS], AS_OF)


def test_the_sample_does_not_hang_on_the_order_of_tenants():
    one = pool_rows(contributions(TENANTS), 700)
    other = pool_rows(contributions(TENANTS[::-1]), 700)
    pd.testing.assert_frame_equal(one, other)
    assert len(one) == 700


def test_a_row_keeps_its_place_whoever_else_contributes():
    alone = pool_rows(contributions(["ua"]), 10_000)
    together = pool_rows(contributions(TENANTS), 10_000)
    mine = together[together["tenant"] == "ua"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, mine)


def test_the_cap_takes_from_all_tenants_alike():
    counts = pool_rows(contributions(), 900)["tenant"].value_counts()
    assert counts.between(230, 370).all()


def test_only_labels_known_by_now_are_pooled(sample):
    assert sample["label"].notna().all()
    assert (sample["label_known_at"] <= AS_OF).all()
    early = contributions(as_of=AS_OF - timedelta(days=100))
    assert all((part["label_known_at"] <= AS_OF - timedelta(days=100)).all() for part in early)


def test_contributors_are_counted(fit, sample):
    assert fit.contributors == dict(sorted(sample["tenant"].value_counts().items()))


def test_folds_end_with_the_spans_that_tenants_are_judged_on(fit):
    ages = [(AS_OF - cut).days for cut in sorted(fit.folds)]
    assert ages[-2:] == [56, 28]
    assert len(ages) == 4


def test_no_fold_sees_anything_after_its_cut(fit, sample):
    cut = AS_OF - timedelta(days=56)
    poisoned = sample.copy()
    later = ~(poisoned["label_known_at"] <= cut)
    poisoned.loc[later, "label"] = 1 - poisoned.loc[later, "label"]
    poisoned.loc[later, "wind"] = 1e9
    poisoned.loc[later, "dest"] = "XXX"
    specs = [make_spec(name) for name in TENANTS]
    harmed = fit_pooled(poisoned, specs, AS_OF)
    for moment, fold in fit.folds.items():
        same = bytes_of(fold) == bytes_of(harmed.folds[moment])
        assert same == (moment <= cut)
    assert bytes_of(fit.pipeline) != bytes_of(harmed.pipeline)


def test_two_fits_are_one(fit, sample):
    again = fit_pooled(sample, [make_spec(name) for name in TENANTS], AS_OF)
    assert bytes_of(again.pipeline) == bytes_of(fit.pipeline)
    assert {cut: bytes_of(fold) for cut, fold in again.folds.items()} == {
        cut: bytes_of(fold) for cut, fold in fit.folds.items()
    }


def test_tenants_that_only_receive_change_nothing(fit, sample):
    others = [make_spec(name) for name in TENANTS]
    odd = make_spec("zz", pooling={"contribute": False}, gate={"holdout": "14d"})
    again = fit_pooled(sample, [*others, odd], AS_OF)
    assert bytes_of(again.pipeline) == bytes_of(fit.pipeline)
    assert sorted(again.folds) == sorted(fit.folds)


@pytest.mark.parametrize(("rows", "reason"), [(50, "labelled rows to pool"), (400, "the same")])
def test_too_little_to_pool_is_said(sample, rows, reason):
    part = sample.head(rows).assign(label=0.0)
    with pytest.raises(TrainingError, match=reason):
        fit_pooled(part, [make_spec()], AS_OF)


def test_wrong_parameters_are_named(sample):
    spec = make_spec()
    wrong = spec.pooled.model_copy(update={"parameters": {"depth": 3}})
    with pytest.raises(TrainingError, match=r"^pooled\.parameters: has no depth; .* max_iter"):
        fit_pooled(sample, [spec.model_copy(update={"pooled": wrong})], AS_OF)


def test_folds_without_enough_rows_are_left_out(sample):
    late = sample[sample["event_time"] >= AS_OF - timedelta(days=50)]
    assert [
        (AS_OF - cut).days
        for cut in fit_pooled(late.reset_index(drop=True), [make_spec()], AS_OF).folds
    ] == [28]


def test_the_spans_of_the_most_are_the_usual_ones():
    short = make_spec("zz", gate={"holdout": "14d"})
    spans = usual_spans([make_spec("aa"), make_spec("ua"), short], AS_OF)
    assert (AS_OF - spans.holdout).days == 28
    assert (AS_OF - usual_spans([short, make_spec("aa")], AS_OF).holdout).days == 14


def test_the_definition_is_that_of_the_product_not_of_a_tenant():
    assert definition(make_spec("aa")) == definition(make_spec("ua", gate={"holdout": "7d"}))
    spec = make_spec("aa")
    changed = spec.pooled.model_copy(update={"max_rows": 5000})
    assert definition(spec) != definition(spec.model_copy(update={"pooled": changed}))


def test_missing_features_stay_missing(sample):
    assert sample["wind"].isna().any()
    assert np.isfinite(sample["distance"]).all()
