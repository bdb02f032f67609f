"""What is learned at a moment, and predictions that do not pass the pooled model twice."""

from collections import Counter
from datetime import timedelta

import numpy as np
import pytest

from tenantry.training import lessons as module
from tenantry.training.lessons import Lessons
from tests.unit.tiny_fleet import AS_OF, CANDIDATES, make_spec, make_table
from tests.unit.training.chains import make_chain

SPEC = make_spec("ua", candidates=CANDIDATES | {"adapted": {}})
HOLDOUT = AS_OF - timedelta(days=28)


@pytest.fixture(scope="module")
def chain():
    return make_chain()


@pytest.fixture(scope="module")
def table():
    return make_table("ua", rows=1200)


@pytest.mark.parametrize("name", SPEC.model.candidates)
def test_rows_are_predicted_as_the_model_alone_does(name, chain, table):
    lessons = Lessons(table, SPEC, chain)
    rows = (table["event_time"] >= HOLDOUT).to_numpy()
    for moment in (HOLDOUT, AS_OF):
        model = lessons.fit(name, moment)
        expected = model.predict(table[rows], SPEC)
        np.testing.assert_array_equal(lessons.predict(model, rows), expected)


def test_a_row_passes_each_pooled_model_once_and_only_if_asked(monkeypatch, chain, table):
    passed = Counter()

    def count(pooled, frame):
        passed.update((pooled, row) for row in frame.index)
        return real(pooled, frame)

    real = module.fall
    monkeypatch.setattr(module, "fall", count)
    lessons = Lessons(table, SPEC, chain)
    rows = (table["event_time"] >= HOLDOUT).to_numpy()
    lessons.predict(lessons.fit("pooled", HOLDOUT), rows)
    assert set(passed) == {(chain.before(HOLDOUT), row) for row in table.index[rows]}
    for moment in (HOLDOUT, AS_OF):
        for name in ("pooled", "adapted", "blended"):
            lessons.predict(lessons.fit(name, moment), rows)
    assert {pooled for pooled, _ in passed} == {chain.before(HOLDOUT), chain.before(AS_OF)}
    assert set(passed.values()) == {1}
