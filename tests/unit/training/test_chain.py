"""A chain never scores a row by a pipeline that has seen it."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tenantry.features.recipe import pooled_frame
from tenantry.models.fitted import link_scores
from tenantry.training.chain import Chain
from tenantry.training.folds import known_by
from tests.unit.tiny_fleet import AS_OF, make_spec, make_table
from tests.unit.training.chains import CUTS, make_chain


@pytest.fixture(scope="module")
def chain():
    return make_chain()


@pytest.fixture(scope="module")
def table():
    return make_table("ua")


@pytest.mark.parametrize(
    ("days", "expected"), [(121, None), (120, 0), (57, 1), (56, 2), (1, 3), (0, 4), (-9, 4)]
)
def test_before_gives_the_latest_that_saw_nothing_later(chain, days, expected):
    found = chain.before(AS_OF - timedelta(days=days))
    assert found is (None if expected is None else chain.links[expected][1])


def test_each_row_is_scored_by_the_latest_cut_before_it(chain, table):
    frame = pooled_frame(table, make_spec("ua"))
    found = chain.out_of_fold(frame, table["known_at"])
    for place, (cut, pipeline) in enumerate(chain.links):
        after = (table["known_at"] >= cut).to_numpy()
        if place + 1 < len(CUTS):
            after = after & (table["known_at"] < CUTS[place + 1]).to_numpy()
        assert not (known_by(table, cut) & after).any()
        np.testing.assert_array_equal(found[after], link_scores(pipeline, frame)[after])
    assert np.isnan(found[(table["known_at"] < CUTS[0]).to_numpy()]).all()


def test_a_row_known_at_a_cut_is_scored_by_that_link(chain, table):
    frame = pooled_frame(table, make_spec("ua")).iloc[:1]
    found = chain.out_of_fold(frame, pd.Series([pd.Timestamp(CUTS[2])]))
    np.testing.assert_array_equal(found, link_scores(chain.links[2][1], frame))


def test_without_links_there_are_no_scores(table):
    frame = pooled_frame(table, make_spec("ua"))
    assert np.isnan(Chain(()).out_of_fold(frame, table["known_at"])).all()
