"""How often a tenant's first run asks the store, by stage and kind: each costs a bucket dearly."""

import os
from collections import Counter

import pytest

from tenantry.store.folder import FolderStore
from tenantry.surveys import find_differences, survey
from tests.crash.driver import Order, make_run
from tests.crash.tiny import FIRST, PRODUCT, make_tiny_fleet
from tests.fleet.conftest import kept_environment

TENANT = "as"
KINDS = {
    "get": "get",
    "find": "find",
    "list": "list",
    "list_folders": "list",
    "put": "put",
    "put_if_absent": "put",
    "put_if_match": "put",
    "delete": "delete",
}


class Counting:
    """Writes down every request of this process and of those forked from it."""

    def __init__(self, file):
        self.file, self.stage = file, ""
        self._lines = os.open(file, os.O_APPEND | os.O_CREAT | os.O_WRONLY)

    def watch(self, patch):
        for name, kind in KINDS.items():
            patch.setattr(FolderStore, name, self._counted(getattr(FolderStore, name), kind))

    def _counted(self, method, kind):
        def call(store, key, *args):
            os.write(self._lines, f"{self.stage} {kind} {key}\n".encode())
            return method(store, key, *args)

        return call

    def enter(self, stage):
        self.stage = stage

    def requests(self):
        return [line.split() for line in self.file.read_text().splitlines()]


@pytest.fixture(scope="module")
def counting(tmp_path_factory):
    """The requests of a first run of a tiny fleet: a model, and windows to predict."""
    home = tmp_path_factory.mktemp("requests")
    counting = Counting(home / "requests")
    env = make_tiny_fleet(home / "fleet") | {"TENANTRY_STORE": (home / "store").as_uri()}
    with kept_environment(), pytest.MonkeyPatch.context() as patch:
        os.environ.update(env)
        counting.watch(patch)
        assert (
            make_run(Order("run-1", FIRST, str(home / "runs"), max_shards=1), counting.enter) == 0
        )
    counting.differences = find_differences(survey(FolderStore(home / "store"), PRODUCT))
    return counting


ALLOWED = {
    "ingest": {"put": 3},
    "build_features": {"get": 2, "put": 1},
    "train": {"get": 1, "put": 3},
    "promote": {"list": 1, "get": 6, "put": 5},
    "predict": {"list": 1, "get": 3, "put": 8},
    "monitor": {"list": 1, "get": 1},
    "report": {"get": 1},
}
"""Of one tenant; it has one chunk, and four windows to predict, of two objects each."""


def test_a_tenants_first_run_asks_the_store_no_more_often_than_this(counting):
    found = [one for one in counting.requests() if f"/{TENANT}/" in one[2]]
    counts = Counter((stage, kind) for stage, kind, _ in found)
    more = {
        (stage, kind): [key for *place, key in found if place == [stage, kind]]
        for (stage, kind), count in counts.items()
        if count > ALLOWED.get(stage, {}).get(kind, 0)
    }
    assert more == {}


def test_what_was_not_read_again_is_what_the_folders_hold(counting):
    assert counting.differences == {}
