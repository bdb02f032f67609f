from datetime import timedelta
from itertools import combinations
from statistics import mean

import pytest

from tenantry.insights.peers import compare, quartiles
from tests.unit.insights.told import AS_OF, START, make_insights, make_rows, spec_of

SHARED = spec_of(insights={"comparable": True})


@pytest.fixture(scope="module")
def own():
    return make_insights(make_rows(days=70, each_day=20), spec=SHARED)


def others(own, count, **changes):
    return [
        own.model_copy(
            update={
                "tenant": f"t{n}",
                "performance": own.performance.model_copy(update={"auc": 0.5 + n / 100}),
                **changes,
            }
        )
        for n in range(count)
    ]


def test_a_tenant_stands_among_quartiles_without_names(own):
    found = compare(own, others(own, 9))
    assert found.tenants == 9
    figures = {one.name: one for one in found.figures}
    assert figures.keys() == {"outcome", "skill", "auc", "precision", "recall"}
    auc = figures["auc"]
    assert (auc.low, auc.median, auc.high) == pytest.approx((0.515, 0.54, 0.565))
    assert auc.own == own.performance.auc
    assert "t1" not in found.model_dump_json()


@pytest.mark.parametrize(
    "changes",
    [
        {"is_comparable": False},
        {"task": "regression"},
        {"label": "something else"},
        {"rows": 100_000},
        {"rows": 10},
        {"tenant": "ua"},
        {"as_of": START - timedelta(days=1)},
        {"since": AS_OF + timedelta(days=1)},
    ],
)
def test_only_those_that_are_alike_and_allow_it_count(own, changes):
    assert compare(own, others(own, 9, **changes)) is None


def test_fewer_than_five_are_not_told(own):
    assert compare(own, others(own, 4)) is None
    assert compare(own, [*others(own, 4), own]) is None
    assert compare(own, others(own, 5)).tenants == 5


def test_who_allows_nothing_is_shown_nothing(own):
    alone = own.model_copy(update={"is_comparable": False})
    assert compare(alone, others(own, 9)) is None


@pytest.mark.parametrize("count", [5, 6, 7, 9, 13])
def test_no_quartile_is_a_single_tenants_figure(count):
    values = [one**1.7 for one in range(1, count + 1)]
    found = quartiles(values)
    assert not {round(one, 6) for one in found} & {round(one, 6) for one in values}
    threes = [sorted(three) for three in combinations(values, 3)]
    assert found == pytest.approx([mean(three[place] for three in threes) for place in range(3)])
    assert found == tuple(sorted(found))
