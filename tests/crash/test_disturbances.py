"""Runs that race, whose store is restarted or whose requests fail, and what they leave.

`make race-test` and `make chaos-test` do the same many more times.
"""

import pytest

from tests.crash.disturbances import Disturber
from tests.crash.driver import TASKS
from tests.crash.races import Racer
from tests.crash.tiny import SECOND

SEED = 20261126


@pytest.fixture
def disturber(trials, minio_server, buckets):
    return Disturber(trials, minio_server, buckets, SEED)


@pytest.mark.parametrize("number", [0, 3], ids=["folder, first slot", "minio, second slot"])
def test_runs_of_one_slot_that_race_leave_what_one_run_does(trials, folders, buckets, number):
    race = Racer(trials, (folders, buckets), runs=4).race(number)
    assert race.faults == ()
    assert race.promotions == race.wanted == 3
    assert race.working > 1


def test_after_a_restart_of_the_store_the_next_run_completes_what_is_left(disturber):
    made = disturber.restart(TASKS.index("train_pooled"), outages=[5])
    assert made.faults == ()


def test_a_run_or_the_next_one_completes_all_although_requests_fail(disturber):
    made = disturber.storm(1)
    assert made.faults == ()
    assert made.requests > 5


def cut(content):
    return content[: len(content) // 2]


def swap_bytes(content):
    """Return what decodes as before, and is something else."""
    return content.replace(b'"run":"base"', b'"run":"esab"')


@pytest.mark.parametrize(
    ("part", "damage", "words"),
    [
        ("/chunks/", cut, "unsound"),
        ("/chunks/", None, "which is missing"),
        ("/manifest.json", lambda content: content + b"\n", "is not what its name says"),
        ("/as/models/", cut, "unsound"),
        ("/pooled/default/2", None, "which is missing"),
        ("/part-", None, "which is missing"),
        ("receipt.json", cut, "unsound"),
        ("/ledgers/", cut, "unsound"),
        ("champion.json", swap_bytes, "different"),
        ("receipt.json", None, "missing"),
        ("events/", None, "missing"),
    ],
)
def test_damage_is_told(trials, folders, part, damage, words):
    trial = trials.begin(folders, SECOND)
    store = trial.place.store
    keys = [info.key for info in store.list("") if part in info.key]
    key = next(key for key in keys if not key.endswith("card.json"))
    if damage:
        store.put(key, damage(store.get(key).content))
    else:
        store.delete(key)
    told = [*trial.faults()] if words in ("different", "missing") else [*trial.unsound()]
    assert any(words in fault for fault in told)
