"""A store is probed once, and one that breaks the contract is refused, with nothing left in it."""

import os
import secrets
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tenantry.errors import PreconditionError, StoreError, StoreUnavailableError
from tenantry.layout import PROBING_FOLDER
from tenantry.store.folder import FolderStore
from tenantry.store.minio import MinioStore
from tenantry.store.probe import probe_store, trust_store
from tests.servers.proxy import Fault, Weather
from tests.servers.signing import signer

WAITS = (0.01, 0.01, 0.01)


# --- stores that lie ------------------------------------------------------------------------------


class DeafStore(FolderStore):
    """Takes every conditional creation for a plain write, as some S3 stores do."""

    def put_if_absent(self, key, content):
        return self.put(key, content)


class HalfDeafStore(FolderStore):
    """Honours `If-None-Match`, but not `If-Match`."""

    def put_if_match(self, key, content, tag):
        return self.put(key, content)


class MuleStore(FolderStore):
    """Refuses every conditional write."""

    def put_if_absent(self, key, content):
        raise PreconditionError(key)


class HastyStore(FolderStore):
    """Checks, then writes: right for one writer, wrong for many, as SeaweedFS was before 4.18."""

    def put_if_absent(self, key, content):
        if self.find(key):
            raise PreconditionError(key)
        time.sleep(0.05)
        return self.put(key, content)


class HastySwapStore(FolderStore):
    """Checks the tag, then writes."""

    def put_if_match(self, key, content, tag):
        found = self.find(key)
        if found is None or found.tag != tag:
            raise PreconditionError(key)
        time.sleep(0.05)
        return self.put(key, content)


class CreatingStore(FolderStore):
    """Takes `If-Match` for fulfilled where there is no object, as MinIO did before 2025-09."""

    def put_if_match(self, key, content, tag):
        return super().put_if_match(key, content, tag) if self.find(key) else self.put(key, content)


class SlyStore(FolderStore):
    """Says that it refused, and writes all the same."""

    def put_if_match(self, key, content, tag):
        try:
            return super().put_if_match(key, content, tag)
        except PreconditionError:
            self.put(key, content)
            raise


class UnableStore(FolderStore):
    """Knows no conditions, and says so, as Alibaba's OSS does."""

    def put_if_absent(self, key, content):
        msg = "the store refused the request (NotImplemented)"
        raise StoreError(msg)


class CachedStore(FolderStore):
    """A client that keeps what it has read."""

    def __init__(self, root):
        super().__init__(root)
        self.seen = {}

    def find(self, key):
        return self.seen.setdefault(key, super().find(key))


class LateListStore(FolderStore):
    """Lists an object a while after it was written."""

    def list(self, prefix):
        now = datetime.now(UTC)
        return (i for i in super().list(prefix) if now - i.modified > timedelta(seconds=1))

    def purge(self, place, *, keep_latest=False):
        return FolderStore(self._root).purge(place)


class GhostListStore(FolderStore):
    """Lists what was removed."""

    def __init__(self, root):
        super().__init__(root)
        self.gone = []

    def delete(self, key):
        self.gone.append(self.find(key))

    def purge(self, place, *, keep_latest=False):
        return FolderStore(self._root).purge(place)


RACE = "of 8 writers won a race under"
LIES = {
    DeafStore: rf"8 {RACE} If-None-Match: \*, not 1",
    HalfDeafStore: rf"8 {RACE} If-Match, not 1",
    MuleStore: rf"0 {RACE} If-None-Match: \*, not 1",
    HastyStore: rf"[2-8] {RACE} If-None-Match: \*, not 1",
    HastySwapStore: rf"[2-8] {RACE} If-Match, not 1",
    CreatingStore: r"a write under If-Match where there is no object succeeded",
    SlyStore: r"a write under If-Match that had to lose was done",
    UnableStore: r"a write under If-None-Match: \* fails where others work .*NotImplemented",
    CachedStore: r"a write is not read back at once \(read-after-write\)",
    LateListStore: r"a write is not listed at once \(list-after-write\)",
    GhostListStore: r"what was deleted is still read or listed",
}


@pytest.mark.parametrize("kind", LIES, ids=[kind.__name__ for kind in LIES])
def test_a_store_that_breaks_the_contract_is_refused_with_the_condition(tmp_path, kind):
    with pytest.raises(StoreError, match=f"cannot be trusted: {LIES[kind]}.*; use a store") as told:
        trust_store(kind(tmp_path))
    assert "SeaweedFS before 4.18" in str(told.value)
    assert [info.key for info in FolderStore(tmp_path).list("")] == []


# --- proxies that strip ---------------------------------------------------------------------------


@pytest.fixture
def far_store(minio_address, fault_proxy):
    return MinioStore(replace(minio_address, endpoint=fault_proxy.endpoint), waits=WAITS)


CONDITIONS = {"if-none-match": r"If-None-Match: \*", "if-match": "If-Match"}


@pytest.mark.parametrize("header", CONDITIONS)
def test_a_proxy_that_strips_a_condition_breaks_the_signature_and_is_found(
    far_store, minio_store, fault_proxy, header
):
    fault_proxy.fail(Fault(method="PUT", strip_request=frozenset({header}), times=10_000))
    fails = f"under {CONDITIONS[header]} fails where others work .*access denied.*no proxy"
    with pytest.raises(StoreError, match=fails):
        trust_store(far_store)
    assert list(minio_store.list("")) == []


@pytest.mark.parametrize("header", CONDITIONS)
def test_a_gateway_that_strips_a_condition_and_signs_anew_is_found(
    far_store, minio_store, minio_server, fault_proxy, header
):
    fault_proxy.sign = signer(minio_server.access_key, minio_server.secret_key)
    fault_proxy.fail(Fault(method="PUT", strip_request=frozenset({header}), times=10_000))
    with pytest.raises(StoreError, match=f"8 {RACE} {CONDITIONS[header]}, not 1"):
        trust_store(far_store)
    assert list(minio_store.list("")) == []


def test_a_store_that_does_not_answer_is_no_liar(far_store, fault_proxy):
    fault_proxy.fail(Fault(status=503, times=10_000))
    with pytest.raises(StoreUnavailableError):
        trust_store(far_store)


# --- stores that keep their word ------------------------------------------------------------------


def test_a_store_is_probed_once_and_only_the_proof_stays(any_store):
    assert trust_store(any_store)
    (proof,) = any_store.list("")
    assert proof.key.startswith("store/proofs/")
    assert not trust_store(any_store)
    assert list(any_store.list("")) == [proof]


def test_a_probe_leaves_nothing(any_store):
    probe_store(any_store)
    assert list(any_store.list("")) == []


def test_many_probes_at_once_do_not_disturb_each_other(any_store):
    failures = []

    def trust():
        try:
            trust_store(any_store)
        except StoreError as error:
            failures.append(error)

    runs = [threading.Thread(target=trust) for _ in range(4)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert failures == []
    assert len(list(any_store.list(""))) == 1


def test_a_store_at_another_address_is_probed_again(minio_store, far_store):
    assert trust_store(minio_store)
    assert trust_store(far_store)
    assert not trust_store(minio_store)
    assert not trust_store(far_store)


@pytest.mark.parametrize("header", ["server", "x-amz-id-2"])
def test_another_server_at_the_address_is_probed_again(far_store, fault_proxy, header):
    assert trust_store(far_store)
    fault_proxy.fail(Fault(method="HEAD", strip_response=frozenset({header})))
    assert trust_store(far_store)


def test_what_answers_is_told_without_a_secret(minio_store, minio_address):
    told = minio_store.identify()
    assert told.startswith(f"{minio_address.endpoint} MinIO ")
    assert told == minio_store.identify()
    minio_store.put("store/x", b"")
    assert told == minio_store.identify()
    assert minio_address.secret_key not in told


def test_a_proof_that_cannot_be_read_counts_as_none(folder_store):
    trust_store(folder_store)
    (proof,) = folder_store.list("")
    folder_store.put(proof.key, b"{}")
    assert trust_store(folder_store)
    assert not trust_store(folder_store)


def test_what_a_killed_probe_left_is_removed_after_an_hour(folder_store, tmp_path):
    old, fresh = (f"{PROBING_FOLDER}{secrets.token_hex(16)}/race" for _ in range(2))
    for key in (old, fresh):
        folder_store.put(key, b"x")
    past = time.time() - 3_700
    os.utime(tmp_path / "store" / old, (past, past))
    trust_store(folder_store)
    assert [info.key for info in folder_store.list(PROBING_FOLDER)] == [fresh]


@pytest.mark.parametrize("seed", range(3))
def test_a_probe_survives_a_bad_network(far_store, fault_proxy, seed):
    fault_proxy.weather = Weather(seed, 0.1, delay=0.01)
    assert trust_store(far_store)
