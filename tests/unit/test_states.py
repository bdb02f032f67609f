"""The laws by which records of a tenant join, whatever was read of it by whom and when."""

from dataclasses import replace

from hypothesis import given

from tenantry.states import TenantRecord, TenantState
from tests.unit.any_records import START, moments, records

NOTHING = TenantRecord("ua")


@given(records)
def test_joining_a_record_with_itself_or_nothing_changes_nothing(one):
    assert one.join(one) == one
    assert one.join(NOTHING) == NOTHING.join(one) == one


@given(records, records)
def test_the_order_of_two_records_does_not_matter(one, other):
    assert one.join(other) == other.join(one)


@given(records, records, records)
def test_the_order_of_joins_does_not_matter(one, other, third):
    assert one.join(other).join(third) == one.join(other.join(third))


@given(records, records)
def test_a_stale_record_undoes_nothing(stale, fresh):
    fresher = stale.join(fresh)
    assert fresher.join(stale) == fresher


@given(records, records)
def test_what_another_record_lacks_is_enough_to_make_it_whole(known, record):
    fresh = known.join(record)
    news = fresh.minus(known)
    assert known.join(news) == fresh
    assert fresh.minus(fresh) in (NOTHING, TenantRecord("ua", erased=True))


@given(records, moments)
def test_a_state_tells_no_decision_later_than_its_moment(one, moment):
    state = one.as_of(moment)
    told = [state.attempt] if state.attempt else []
    told += [*state.judgements, *state.failures]
    assert all(fact.as_of <= moment for fact in told)
    assert state.champion is None or state.champion.current.since <= moment
    assert state.looked_at is None or state.looked_at <= moment


@given(records, moments)
def test_costs_aside_equal_facts_make_equal_states(one, moment):
    other = replace(one, costs={})
    assert replace(other.as_of(moment), costs=one.as_of(moment).costs) == one.as_of(moment)


def test_an_erased_tenant_stays_erased_whatever_is_known_of_it():
    erased = TenantRecord("ua", erased=True)
    late = TenantRecord("ua", marked=True)
    assert erased.join(late) == late.join(erased) == erased
    assert erased.as_of(START) == TenantState(erased=True)
