from dataclasses import replace

import pytest

from tenantry.simulation.cluster import MOST_STATUS, Cluster
from tenantry.simulation.fleets import MOST_ARGUMENT, Question, Sizes, ask
from tenantry.simulation.telling import find_breaches, make_facts, render_page
from tenantry.times import say_seconds


def test_a_hundred_thousand_tenants_stay_within_the_backends_limits():
    answer = ask(Question(100_000), Cluster())
    assert answer.runs == 10
    assert answer.shards == 320
    assert answer.argument <= MOST_ARGUMENT
    assert answer.taken.status <= MOST_STATUS
    assert find_breaches(answer) == []


def test_a_tenants_cost_falls_to_that_of_its_own_work():
    few, many = (ask(Question(count, Sizes(spread=0.0)), Cluster()) for count in (100, 3_200))
    own = many.tenant_seconds / 3_200
    assert own == pytest.approx(few.tenant_seconds / 100)
    assert many.per_tenant < 1.5 * own < few.per_tenant


def test_too_many_shards_are_said_to_break_a_run():
    (breach,) = find_breaches(ask(Question(200, max_shards=200), Cluster()))
    assert "Argo takes 1,048,576" in breach
    assert "max_shards" in breach


def test_what_is_not_due_takes_nothing():
    idle = ask(Question(50, windows=0, trains=False), Cluster())
    assert idle.tenant_seconds == 0
    assert idle.taken.cpu < ask(Question(50), Cluster()).taken.cpu


def test_equal_fleets_are_equal_and_larger_tenants_cost_more():
    question = Question(300)
    assert ask(question, Cluster()) == ask(question, Cluster())
    larger = replace(question, sizes=Sizes(median=100_000))
    assert ask(larger, Cluster()).tenant_seconds > ask(question, Cluster()).tenant_seconds


def test_sizes_have_the_median_that_is_asked_for():
    rows = Sizes(median=500, spread=2.0).rows(1_001)
    assert sorted(rows)[500] == 500
    assert max(rows) > 50 * 500


def test_the_page_shows_every_fleet_and_says_what_was_asked():
    answers = [ask(Question(count), Cluster()) for count in (10, 100)]
    page = render_page(answers, Cluster())
    assert page.count("<circle") == 4
    for answer in answers:
        assert say_seconds(answer.taken.wall) in page
    assert "1,000 labelled rows in the median" in page
    assert "Argo looks every 10 s" in page


def test_facts_are_whole():
    facts = make_facts(ask(Question(10), Cluster()))
    parts = ("tenants", "imports", "machinery")
    assert sum(facts[f"{part}_cpu_seconds"] for part in parts) <= facts["cpu_seconds"]
    assert facts["pods"] == 10 * 13 + 8
