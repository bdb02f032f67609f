import pytest

from tenantry.fleet import FleetState
from tenantry.members import Member
from tenantry.plans import Planned
from tenantry.promises import Promise, Promises
from tenantry.report.freshness import tell_freshness, tell_promises

GOOD = Promise(total=100, missed=1, allowed=5, broken=False)


def member(tenant, predictions=GOOD, model=GOOD):
    promises = Promises(predictions=predictions, model=model)
    return Member(tenant=tenant, planned=Planned(promises=promises))


def told(*members):
    return tell_freshness(FleetState("run-1", "p", None, members))


def test_where_nothing_was_counted_nothing_is_told():
    assert told(Member(tenant="aa")) is None
    assert list(tell_promises(Member(tenant="aa"))) == []


def test_the_fleet_is_told_as_a_whole():
    found = told(member("aa"), member("bb", GOOD.model_copy(update={"missed": 5})), Member("cc"))
    (predictions, model) = found.fleet
    assert (predictions.kept, predictions.budget) == ("194 of 200", "40% left")
    assert (model.kept, model.left, model.tone) == ("198 of 200", 80.0, "good")
    assert found.worst == ()


def test_who_overspent_most_comes_first_and_the_rest_is_counted():
    bad = [member(f"t{n:02}", GOOD.model_copy(update={"missed": 10 + n})) for n in range(25)]
    found = told(*bad)
    assert [one.who for one in found.worst[:2]] == ["t24", "t23"]
    assert (found.worst[0].budget, found.worst[0].left) == ("overspent by 580%", 0.0)
    assert (len(found.worst), found.others) == (20, 5)


def test_what_is_broken_now_is_listed_although_the_budget_holds():
    (one,) = told(member("aa", model=GOOD.model_copy(update={"broken": True}))).worst
    assert (one.what, one.tone, one.broken) == ("hours with a fresh model", "fair", True)


@pytest.mark.parametrize(("missed", "tone"), [(1, "good"), (4, "fair"), (6, "bad")])
def test_how_a_budget_sounds(missed, tone):
    assert told(member("aa", GOOD.model_copy(update={"missed": missed}))).fleet[0].tone == tone


def test_a_tenants_promises_are_sentences():
    one = member("aa", model=GOOD.model_copy(update={"broken": True}))
    assert list(tell_promises(one)) == [
        "99 of 100 windows predicted in time; error budget: 80% left.",
        "99 of 100 hours with a fresh model; error budget: 80% left. It is broken now.",
    ]
