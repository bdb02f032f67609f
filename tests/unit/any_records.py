"""Records of tenants as hypothesis makes them up, for tests of what must hold for all of them."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from tenantry.champions import Champion, Pin, Reign
from tenantry.facts import Alarm, Attempt, Failure, Measured, Predicted
from tenantry.states import TenantRecord, uncleared
from tenantry.times import Window, compact

START = datetime(2013, 10, 1, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
WINDOWS = [Window(START + n * WEEK, START + (n + 1) * WEEK) for n in range(6)]

moments = st.integers(0, 50).map(lambda n: START + n * DAY)
windows = st.sampled_from(WINDOWS)
versions = st.builds(
    lambda at, end: f"{compact(at)}-{end}", moments, st.sampled_from(["abc", "def"])
)


def _attempt(as_of, turn, promoted, rows):
    """The facts of an attempt follow from its place; only whether its card is gone does not."""
    version = f"{compact(as_of)}-{turn}a"
    return Attempt(as_of, version, f"digest{turn}", rows and 1000 + turn, turn, promoted)


attempts = st.builds(
    _attempt, moments, st.integers(0, 2), st.booleans(), st.sampled_from([None, 1])
)


def _champion(counter):
    """A pointer's content follows from its counter: every write is a compare-and-swap."""
    reigns = tuple(
        Reign(
            since=START + n * DAY,
            version=f"{compact(START + n * DAY)}-0a",
            digest="",
            trained_until=START + n * DAY,
            training_digest="digest0",
            recipe="pooled",
            gate="",
        )
        for n in range(counter)
    )
    pin = Pin(version="v", who="me", why="", when=START, as_of=START) if counter % 2 else None
    return Champion(counter=counter, reigns=reigns, pin=pin)


champions = st.none() | st.integers(1, 4).map(_champion)
stages = st.sampled_from(["train", "ingest"])
failures = st.builds(
    Failure,
    moments,
    st.sampled_from(["r1", "r2"]),
    st.sampled_from(["train", "ingest"]),
    st.just("E"),
)
costs = st.dictionaries(
    st.sampled_from(["train", "predict"]),
    st.builds(Measured, moments, st.sampled_from([0.5, 1.5])),
)


def _record(cleared, failed, **facts):
    return TenantRecord("ua", cleared=cleared, failures=uncleared(failed, cleared), **facts)


records = st.builds(
    _record,
    cleared=st.dictionaries(st.sampled_from(["", "train", "ingest"]), moments, max_size=2),
    failed=st.frozensets(failures, max_size=3),
    champion=champions,
    attempts=st.frozensets(attempts, max_size=3).map(
        lambda some: frozenset({one.place: one for one in some}.values())
    ),
    retired=st.frozensets(moments, max_size=2),
    predicted=st.dictionaries(
        windows,
        st.frozensets(st.builds(Predicted, moments, versions, st.booleans()), min_size=1).map(
            lambda some: tuple(sorted(some))
        ),
        max_size=4,
    ),
    looked=st.frozensets(moments, max_size=3),
    judged=st.frozensets(windows),
    alarms=st.frozensets(
        st.builds(
            Alarm, moments, windows, st.just("decayed"), st.just("retrain"), versions | st.just("")
        ),
        max_size=2,
    ),
    costs=costs,
) | st.just(TenantRecord("ua", erased=True))
