"""Models that learnt from what was erased: marked first, withdrawn then, for whatever moment."""

from tests.unit.test_reigns import V0, V10, V20, champion, day, reign, rollback, served


def test_a_tainted_model_stays_in_use():
    made = champion(V0, V10).taint(["v10"], "rows were erased")
    assert made.tainted == {"v10": "rows were erased"}
    assert served(made, 20, range(5, 15)) == ["v0"] * 5 + ["v10"] * 5


def test_a_withdrawn_model_reigns_at_no_moment():
    made = champion(V0, V10, V20).taint(["v10"], "rows were erased").withdraw(["v10"], "erased")
    assert (made.tainted, made.withdrawn) == ({}, {"v10": "erased"})
    assert served(made, 30, range(5, 25)) == ["v0"] * 15 + ["v20"] * 5
    assert made.reigns == (V0, V10, V20), "the record of who reigned stays"


def test_without_a_model_left_nobody_reigns():
    made = champion(V0).withdraw(["v0"], "erased")
    assert made.until(day(5)) is None
    assert made.at(day(5)) is None
    assert made.current == V0


def test_what_a_rollback_revoked_stays_revoked_when_the_restored_model_is_withdrawn():
    made = champion(V0, V10, V20, rollback(25, V10)).withdraw(["v10"], "erased")
    assert served(made, 30, range(28, 30)) == ["v0"] * 2


def test_marks_that_are_there_write_nothing():
    made = champion(V0).taint(["v0"], "rows were erased")
    assert made.taint(["v0"], "again") is made
    gone = made.withdraw(["v0"], "erased")
    assert gone.withdraw(["v0"], "again") is gone


def test_a_deposed_model_that_is_still_in_use_can_be_tainted_until_it_is_removed():
    made = champion(V0).withdraw(["v0"], "deposed").taint(["v0"], "rows were erased")
    assert made.tainted == {"v0": "rows were erased"}
    assert made.withdraw(["v0"], "removed").tainted == {}


def test_a_version_made_again_is_as_good_as_new():
    made = champion(V0).withdraw(["v0"], "erased").with_reign(reign(0, turn=1))
    assert (made.tainted, made.withdrawn) == ({}, {})
    assert made.current == reign(0, turn=1)


def test_every_mark_counts_as_a_write():
    made = champion(V0)
    assert made.taint(["v0"], "e").counter == made.withdraw(["v0"], "e").counter == made.counter + 1
