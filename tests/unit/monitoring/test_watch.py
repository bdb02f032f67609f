import numpy as np

from tenantry.monitoring.bets import no_evidence
from tenantry.monitoring.watch import watch


def follow(effect, p_value, won=None):
    effect, p_value = np.atleast_2d(effect), np.atleast_2d(p_value).astype(float)
    return watch(
        effect,
        p_value,
        won=no_evidence(len(effect)) if won is None else won,
        threshold=np.full(len(effect), 0.1),
        bar=np.full(len(effect), 20.0),
        windows_a_year=52,
    )


def test_an_alarm_needs_evidence_and_an_effect():
    found = follow([[0.5, 0.5], [0.05, 0.05], [0.5, 0.5]], [[1e-9, 1e-9], [1e-9, 1e-9], [0.5, 0.5]])
    assert found.alarmed.tolist() == [[True, True], [False, False], [False, False]]


def test_an_alarm_ends_when_the_window_is_as_it_should_be():
    assert follow([0.5, 0.01, 0.5], [1e-9, 0.7, 1e-9]).alarmed[0].tolist() == [True, False, True]


def test_a_small_window_after_a_change_is_no_alarm_for_an_effect_of_chance():
    assert follow([0.5, 0.5], [1e-9, 0.4]).alarmed[0].tolist() == [True, False]


def test_after_an_alarm_has_ended_evidence_is_gathered_anew():
    found = follow([0.5, 0.01, 0.5, 0.5], [1e-9, 0.7, 0.1, np.nan])
    assert found.alarmed[0].tolist() == [True, False, False, False]
    assert found.evidence[0, 2] < 1


def test_what_cannot_be_judged_never_alarms():
    assert not follow([np.nan, 0.5], [1e-9, np.nan], np.zeros((1, 2))).alarmed[0, 0]


def test_watching_may_be_interrupted_after_any_window():
    effect, p_value = np.full((1, 6), 0.5), np.array([[0.3, 0.01, 0.2, 1e-4, 1e-3, 0.9]])
    whole = follow(effect, p_value)
    first = follow(effect[:, :2], p_value[:, :2])
    rest = follow(effect[:, 2:], p_value[:, 2:], won=first.won[:, -1])
    np.testing.assert_array_equal(whole.evidence, np.hstack([first.evidence, rest.evidence]))
