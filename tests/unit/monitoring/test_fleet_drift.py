import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tenantry.monitoring.fleet_drift import find_bar, gather_drift
from tenantry.monitoring.judgements import Judgement, Shift
from tests.unit.monitoring.watched import AS_OF, WINDOWS


def shift(name, evidence=0.1, effect=0.02):
    return Shift(
        name=name,
        kind="data",
        effect=effect,
        p_value=0.5,
        evidence=evidence,
        drifted=effect > 0.1,
    )


def judge(tenant, *shifts, window=WINDOWS[0]):
    return Judgement(
        product="arrival-delay",
        tenant=tenant,
        window=window.id,
        as_of=AS_OF,
        status="ok",
        sentence="As promised.",
        drift=shifts,
    )


QUIET = [judge(f"q{n}", shift("temp"), shift("distance")) for n in range(20)]


def test_a_quiet_fleet_has_no_drift():
    found = gather_drift(QUIET)
    assert (found.events, found.alone, found.doubtful) == ((), (), 0)


def test_a_shift_of_one_tenant_is_told_of_it():
    found = gather_drift([*QUIET, judge("aa", shift("temp", 1e5, 0.4), shift("distance"))])
    assert [(one.tenant, one.shift.name) for one in found.alone] == [("aa", "temp")]
    assert found.events == ()


def test_what_many_tenants_share_in_a_window_is_one_event():
    shifted = [judge(f"s{n}", shift("temp", 1e4, 0.3), shift("distance")) for n in range(9)]
    found = gather_drift([*QUIET, *shifted])
    (event,) = found.events
    assert (event.name, event.window, len(event.tenants)) == ("temp", WINDOWS[0].id, 9)
    assert (event.judged, event.effect, found.alone) == (29, 0.3, ())


def test_the_same_stream_in_different_windows_is_no_event():
    shifted = [
        judge(f"s{n}", shift("temp", 1e5, 0.3), window=window) for n, window in enumerate(WINDOWS)
    ]
    found = gather_drift([*QUIET, *shifted])
    assert (found.events, len(found.alone)) == ((), len(WINDOWS))


def test_what_is_likely_among_so_many_streams_is_doubtful():
    found = gather_drift([*QUIET, judge("aa", shift("temp", 100.0, 0.4))])
    assert (found.alone, found.doubtful) == ((), 1)


def test_evidence_of_what_is_not_said_to_have_shifted_makes_nothing_pass():
    """Evidence without an effect: it fills the first ranks, and the bar would be lower."""
    trifles = [judge(f"t{n}", shift("temp", 1e5, 0.01), shift("distance")) for n in range(20)]
    found = gather_drift([*QUIET, *trifles, judge("aa", shift("temp", 100.0, 0.4))])
    assert (found.alone, found.events, found.doubtful) == ((), (), 1)


@given(st.lists(st.floats(0, 1e6), max_size=40), st.floats(0.001, 0.5))
def test_what_passes_is_as_much_as_the_procedure_asks(evidence, share):
    bar = find_bar(evidence, share)
    passing = [one for one in evidence if one >= bar]
    assert all(one * len(passing) * share >= len(evidence) for one in passing)


def test_of_what_passes_few_did_not_shift():
    """E-values of 900 streams without and 100 with a change: the false share stays below 5 %."""
    quiet = 0.15 * np.random.default_rng(6).random(900) ** -0.85
    evidence = [*quiet, *([1e5] * 100)]
    bar = find_bar(evidence, 0.05)
    assert bar <= 1e5
    assert sum(one >= bar for one in quiet) <= 5
    assert find_bar(list(quiet), 0.05) == float("inf")


def test_looking_at_a_fleet_needs_no_numpy():
    code = "import sys, tenantry.monitoring.fleet_drift; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_another_form_is_a_fact_that_no_other_stream_makes_doubtful():
    form = shift("schema", 0.0, 1.0).model_copy(update={"p_value": None, "kind": "schema"})
    alone = gather_drift([*QUIET, judge("aa", form)])
    assert [(one.tenant, one.shift.name) for one in alone.alone] == [("aa", "schema")]
    assert alone.doubtful == 0
    together = gather_drift([judge(f"t{n}", shift("temp"), form) for n in range(9)])
    assert [(event.name, len(event.tenants)) for event in together.events] == [("schema", 9)]
    assert together.alone == ()
