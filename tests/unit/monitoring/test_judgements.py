import subprocess
import sys
from datetime import timedelta

import pytest

from tenantry import layout
from tenantry.monitoring.history import HISTORY, JudgementStatus
from tenantry.monitoring.judgements import (
    IN_WORDS,
    Judgement,
    Quality,
    Shift,
    judged_windows,
    last_judgement,
    read_judgement,
    read_judgements,
    write_judgement,
)
from tenantry.times import Window
from tests.unit.memory_store import MemoryStore
from tests.unit.monitoring.watched import AS_OF, WINDOWS


def judgement(window=WINDOWS[0], status="ok", as_of=AS_OF, **changes):
    return Judgement(
        product="arrival-delay",
        tenant="ua",
        window=window.id,
        as_of=as_of,
        status=status,
        sentence="As promised.",
        **changes,
    )


@pytest.fixture
def store():
    return MemoryStore()


def read(store, **options):
    return read_judgements(store, "arrival-delay", "ua", **options)


def test_judgements_come_back_by_window(store):
    written = [judgement(window) for window in reversed(WINDOWS)]
    for one in written:
        write_judgement(store, one)
    assert read(store) == tuple(reversed(written))


def test_the_first_judgement_of_a_window_stands(store):
    first = judgement(status="ok")
    assert write_judgement(store, first) == write_judgement(store, judgement(status="decayed"))
    assert read(store) == (first,)


@pytest.mark.parametrize(("days", "found"), [(-1, 1), (0, 0), (1, 0)])
def test_since_means_later_than(store, days, found):
    write_judgement(store, judgement())
    assert len(read(store, since=AS_OF + timedelta(days=days))) == found


def test_a_report_alone_is_no_judgement(store):
    store.put(layout.drift_report("arrival-delay", "ua", WINDOWS[1]), b"<html>")
    write_judgement(store, judgement(WINDOWS[0]))
    assert len(read(store)) == 1


def test_what_lies_under_the_name_of_no_window_is_no_judgement(store):
    write_judgement(store, judgement(WINDOWS[0]))
    store.put(f"{layout.monitoring_folder('arrival-delay', 'ua')}x/judgement.json", b"{}")
    assert judged_windows(store, "arrival-delay", "ua") == [WINDOWS[0]]
    assert len(read(store)) == 1


def test_the_last_judgement_is_that_of_the_latest_window(store):
    assert last_judgement(store, "arrival-delay", "ua", ()) is None
    for window in WINDOWS[:2]:
        write_judgement(store, judgement(window))
    last = last_judgement(store, "arrival-delay", "ua", WINDOWS[:2])
    assert last == read_judgement(store, "arrival-delay", "ua", WINDOWS[1])
    assert last.span == WINDOWS[1]


DAY = timedelta(days=1)


def test_the_last_judgement_as_of_a_time_is_one_made_by_then(store):
    write_judgement(store, judgement(WINDOWS[0], as_of=AS_OF - timedelta(days=7)))
    write_judgement(store, judgement(WINDOWS[1]))
    found = [
        last_judgement(store, "arrival-delay", "ua", WINDOWS[:2], until=AS_OF - days * DAY)
        for days in (0, 7, 8)
    ]
    assert [one and one.span for one in found] == [WINDOWS[1], WINDOWS[0], None]


def test_another_tenant_has_its_own(store):
    write_judgement(store, judgement())
    assert read_judgements(store, "arrival-delay", "u") == ()
    assert read_judgement(store, "arrival-delay", "aa", WINDOWS[0]) is None


def test_what_drifted_comes_largest_first():
    effects = {"a": 0.3, "b": 0.5, "c": 0.1, "d": None}
    drift = tuple(
        Shift(
            name=name,
            kind="data",
            effect=effect,
            p_value=None,
            evidence=0.0,
            drifted=(effect or 0) > 0.2,
        )
        for name, effect in effects.items()
    )
    assert [one.name for one in judgement(drift=drift).drifted] == ["b", "a"]


def test_judged_windows_come_by_time(store):
    for window in (WINDOWS[2], WINDOWS[0]):
        write_judgement(store, judgement(window))
    store.put(layout.drift_report("arrival-delay", "ua", WINDOWS[1]), b"<html>")
    assert judged_windows(store, "arrival-delay", "ua") == [WINDOWS[0], WINDOWS[2]]


def test_every_status_has_words():
    assert set(IN_WORDS) == set(JudgementStatus.__args__)


def test_reading_judgements_needs_no_pandas():
    code = "import sys, tenantry.monitoring.judgements; sys.exit('pandas' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_history_is_of_the_last_windows_by_time():
    last = None
    starts = [WINDOWS[0].start + timedelta(days=7 * n) for n in range(HISTORY + 3)]
    for start in starts:
        window = Window(start, start + timedelta(days=7))
        last = judgement(window).after(last)
    assert [one.span.start for one in last.history] == starts[2:-1]


def test_what_a_history_keeps_of_a_window():
    quality = Quality(
        metric="log_loss",
        realised=0.5,
        low=0.4,
        high=0.6,
        promised=0.45,
        auc=None,
        mean_prediction=0.2,
        mean_label=0.2,
        blocks=7,
    )
    shift = Shift(name="temp", kind="data", effect=0.2, p_value=0.1, evidence=9.0, drifted=True)
    first = judgement(
        status="decayed", action="retrain", labelled=100, quality=quality, drift=(shift,)
    )
    (kept,) = judgement(WINDOWS[1]).after(first).history
    assert (kept.window, kept.status, kept.action) == (WINDOWS[0].id, "decayed", "retrain")
    assert (kept.low, kept.realised, kept.high, kept.promised) == (0.4, 0.5, 0.6, 0.45)
    assert kept.drifted == ("temp",)
    assert kept.harm == pytest.approx(5)
