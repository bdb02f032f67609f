"""Joins take what was known, never what came later."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantry.errors import SourceError
from tenantry.sources.joins import Pairing, join_as_of, join_by_key, observation_span
from tenantry.specs.data import AsOfJoin

START = datetime(2024, 1, 1, tzinfo=UTC)
AS_OF = AsOfJoin(column="seen_at", tolerance="3h")
PAIRING = Pairing({"shop": "place"}, {}, ("temp",))

shops = st.sampled_from(["a", "b", None])
minutes = st.integers(0, 60 * 24).map(lambda count: START + timedelta(minutes=count))
rows_of = st.lists(st.tuples(shops, st.one_of(minutes, st.none())), max_size=25)
observations_of = st.lists(
    st.tuples(shops, st.one_of(minutes, st.none()), st.sampled_from([1.0, 2.0, 3.0, None])),
    max_size=40,
)


def times(moments):
    return pd.Series(pd.to_datetime(list(moments), utc=True)).dt.as_unit("us")


def frames(rows, observations):
    left = pd.DataFrame({"shop": pd.Series([shop for shop, _ in rows], dtype="str")})
    right = pd.DataFrame(
        {
            "place": pd.Series([place for place, _, _ in observations], dtype="str"),
            "seen_at": times(at for _, at, _ in observations),
            "temp": pd.Series([temp for _, _, temp in observations], dtype="float64"),
        }
    )
    return left, times(at for _, at in rows), right


def latest(shop, known_at, observations):
    """Look through every observation, as a person would; return the values that may be right."""
    able = [
        (at, temp)
        for place, at, temp in observations
        if None not in (place, at, shop, known_at)
        and place == shop
        and known_at - AS_OF.tolerance <= at <= known_at
    ]
    last = max((at for at, _ in able), default=None)
    return {temp for at, temp in able if at == last} or {None}


@settings(deadline=None)
@given(rows_of, observations_of)
def test_the_latest_observation_by_then_is_taken(rows, observations):
    left, known_at, right = frames(rows, observations)
    found = join_as_of(left, right, PAIRING, as_of=AS_OF, known_at=known_at)
    assert found["shop"].astype(object).where(found["shop"].notna(), None).tolist() == [
        shop for shop, _ in rows
    ]
    for (shop, at), temp in zip(rows, found["temp"], strict=True):
        assert (None if pd.isna(temp) else temp) in latest(shop, at, observations)


@settings(deadline=None)
@given(rows_of, observations_of, st.randoms())
def test_the_order_of_observations_does_not_matter(rows, observations, random):
    left, known_at, right = frames(rows, observations)
    shuffled = right.sample(frac=1, random_state=random.randrange(2**32))
    one = join_as_of(left, right, PAIRING, as_of=AS_OF, known_at=known_at)
    other = join_as_of(left, shuffled, PAIRING, as_of=AS_OF, known_at=known_at)
    pd.testing.assert_frame_equal(one, other)


@settings(deadline=None)
@given(rows_of, observations_of, observations_of)
def test_later_observations_change_nothing(rows, observations, others):
    left, known_at, right = frames(rows, observations)
    last = max((at for _, at in rows if at is not None), default=START)
    later = [
        (place, last + timedelta(minutes=1 + n), 99.0) for n, (place, _, _) in enumerate(others)
    ]
    _, _, more = frames([], observations + later)
    one = join_as_of(left, right, PAIRING, as_of=AS_OF, known_at=known_at)
    other = join_as_of(left, more, PAIRING, as_of=AS_OF, known_at=known_at)
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(
    ("seen", "temp"),
    [
        (timedelta(0), 5.0),
        (timedelta(hours=-3), 5.0),
        (timedelta(hours=-3, microseconds=-1), None),
        (timedelta(microseconds=1), None),
    ],
)
def test_the_tolerance_is_exact(seen, temp):
    left, known_at, right = frames([("a", START)], [("a", START + seen, 5.0)])
    found = join_as_of(left, right, PAIRING, as_of=AS_OF, known_at=known_at)["temp"][0]
    assert (None if pd.isna(found) else found) == temp


def test_the_span_of_observations_that_matter():
    span = observation_span(times([START, None, START + timedelta(days=1)]), AS_OF)
    assert span.start == START - timedelta(hours=3)
    assert span.end == START + timedelta(days=1)
    assert observation_span(times([None]), AS_OF) is None


@settings(deadline=None)
@given(st.lists(shops, max_size=20))
def test_a_key_brings_its_row(keys):
    rows = pd.DataFrame({"shop": pd.Series(keys, dtype="str")})
    rows.index += 5
    joined = pd.DataFrame({"shop": ["b", "a", None, None], "size": [2.0, 1.0, 7.0, 8.0]})
    pairing = Pairing({"shop": "shop"}, {}, ("size",))
    found = join_by_key(rows, joined, pairing, place="source shops")
    sizes = {"a": 1.0, "b": 2.0, None: None}
    assert found["size"].astype(object).where(found["size"].notna(), None).tolist() == [
        sizes[key] for key in keys
    ]


def test_keys_of_different_types_meet():
    rows = pd.DataFrame({"shop": [7.0, 8.0]})
    joined = pd.DataFrame({"shop": ["007", "8"], "size": [1.0, 2.0]})
    as_text = join_by_key(rows, joined, Pairing({"shop": "shop"}, {}, ("size",)), place="")
    assert as_text["size"].isna().tolist() == [True, False]
    pairing = Pairing({"shop": "shop"}, {"shop": "integer"}, ("size",))
    assert join_by_key(rows, joined, pairing, place="")["size"].tolist() == [1.0, 2.0]


def test_a_key_that_is_there_twice_is_a_fault():
    rows = pd.DataFrame({"shop": ["a"]})
    joined = pd.DataFrame({"shop": ["a", "b", "a"], "size": [1.0, 2.0, 1.0]})
    pairing = Pairing({"shop": "shop"}, {}, ("size",))
    with pytest.raises(SourceError) as caught:
        join_by_key(rows, joined, pairing, place="source shops (connection c, shops.csv)")
    assert str(caught.value) == (
        "source shops (connection c, shops.csv): 1 rows repeat the key shop; "
        "keep one row a key, or join it `as_of` a time"
    )
