"""A fleet on a real MinIO whose runs may do little themselves; a recipe that looks around."""

import json
import os
import sys
import textwrap

import pytest

from tenantry.isolation.nursery import KEPT, RECIPES
from tenantry.store.minio import MinioStore
from tests.fleet.conftest import SMALL
from tests.fleet.harness import OF_RUNS, joined_index, without_modified
from tests.fleet.searching import Searched, read_found

OCTOBER = "2013-10-01"
SPY = """
import gc, json, os, pathlib, re

HERE = pathlib.Path({seen!r})
# patterns that do not hold what they look for, or they would be found themselves
PATTERNS = [
    re.compile(b"".join(b"[%c]" % ord(letter) for letter in reversed(text)))
    for text in {backwards!r}
]


def fit(material, **_):
    found = [0] * len(PATTERNS)
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        for line in open("/proc/self/maps"):
            start, end, rights = re.match("([0-9a-f]+)-([0-9a-f]+) (.{{4}})", line).groups()
            if rights.startswith("rw"):
                try:
                    memory.seek(int(start, 16))
                    held = memory.read(int(end, 16) - int(start, 16))
                except (OSError, ValueError, OverflowError):
                    continue
                found = [n + sum(1 for _ in one.finditer(held)) for n, one in zip(found, PATTERNS)]
    environment = open("/proc/self/environ").read().split("\\0")
    names = [*os.environ, *(one.partition("=")[0] for one in environment if one)]
    (HERE / str(os.getpid())).write_text(json.dumps({{"names": names, "found": found}}))
    raise ValueError("no model")
"""


@pytest.fixture
def spied(tmp_path, monkeypatch):
    """Return a function that lets a recipe look for secrets in whoever fits it."""
    code, seen = tmp_path / "code", tmp_path / "seen"
    code.mkdir()
    seen.mkdir()

    def spy(texts):
        backwards = [text[::-1] for text in (*texts, str(code))]
        text = textwrap.dedent(SPY).format(seen=str(seen), backwards=backwards)
        (code / "looking_around.py").write_text(text)
        recipes = code / "recipes.yaml"
        recipes.write_text("recipes: {'looking_around:fit': {types: []}}\n")
        monkeypatch.setenv("TENANTRY_RECIPES", str(recipes))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(code), *sys.path]))
        monkeypatch.syspath_prepend(str(code))
        return seen

    return spy


def with_spy(text):
    return text.replace("    blended: {}\n", "    'looking_around:fit': {}\n    blended: {}\n")


def contents(store):
    """What a run left, as `Harness.objects` has it, without pages."""
    found = {
        info.key: without_modified(info.key, store.get(info.key).content)
        for info in store.list("")
        if not info.key.startswith((*OF_RUNS, "store/")) and not info.key.endswith(".html")
    }
    return found | {"index": joined_index(store)}


def environment_of(address):
    url = f"s3+http://{address.endpoint}/{address.bucket}/{address.prefix}"
    return {
        "TENANTRY_STORE": url.rstrip("/"),
        "AWS_ACCESS_KEY_ID": address.access_key,
        "AWS_SECRET_ACCESS_KEY": address.secret_key,
    }


def test_workers_with_credentials_of_their_own_do_the_same_and_hold_no_secret(
    make_fleet, run_address, minio_address, spied, monkeypatch
):
    monkeypatch.setenv("SOME_SECRET", password := "correct-horse-battery-staple")
    seen = spied([run_address.secret_key, run_address.access_key, password])
    fleet = make_fleet(only=("ha", "oo"), product=with_spy)
    fleet.environment = environment_of(run_address)
    isolated = fleet.run(OCTOBER, max_shards=1)
    assert isolated.failures() == {}
    assert "TENANTRY_ISOLATION" not in isolated.page

    fits = [json.loads(path.read_text()) for path in seen.iterdir()]
    assert fits
    for fit in fits:
        assert fit["found"][:-1] == [0, 0, 0]
        assert fit["found"][-1] > 0  # of what is in the environment
    seen_names = {name for fit in fits for name in fit["names"]}
    assert {name for name in seen_names if not name.startswith("KMP_")} <= {
        *KEPT,
        RECIPES,
        "LC_CTYPE",
    }

    fleet.environment = {}
    (fleet.home / "files").rename(fleet.home / "files-1")
    fleet.run(OCTOBER, max_shards=1)
    assert contents(MinioStore(minio_address)) == contents(fleet.store)


def test_a_worker_that_goes_on_with_the_next_tenant_keeps_nothing_of_the_last(
    make_fleet, undisturbed, run_address, minio_address, tmp_path, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.setattr("tenantry.shard.Assignment", Searched)
    monkeypatch.setattr(Searched, "place", str(tmp_path / "found"))
    (tmp_path / "found").mkdir()
    fleet = make_fleet()
    fleet.environment = environment_of(run_address) | {"TENANTRY_WORKERS": "1"}
    assert fleet.run(OCTOBER, undisturbed.october.run, max_shards=1).failures() == {}

    found = read_found(tmp_path / "found")
    assert len({one["stage"] for one in found}) == len({one["worker"] for one in found}) >= 5
    assert len({one["tenant"] for one in found}) == len(SMALL)
    assert [one for one in found if one["left"] or not one["denied"]] == []
    assert contents(MinioStore(minio_address)) == contents(undisturbed.then.store)
