"""A bucket behind a network that fails: what is tried again, what is told, what is refused."""

import time
from dataclasses import replace

import pytest

from tenantry.errors import PreconditionError, StoreError, StoreUnavailableError
from tenantry.store.minio import MinioStore
from tests.servers.proxy import Fault

WAITS = (0.01, 0.01, 0.01)


@pytest.fixture
def far_store(minio_address, fault_proxy):
    """The store of `minio_store`, by way of the proxy."""
    return MinioStore(replace(minio_address, endpoint=fault_proxy.endpoint), waits=WAITS)


def _slow_down(code="SlowDown"):
    return f"<Error><Code>{code}</Code><Message>secret-{{x}}</Message></Error>".encode()


TRANSIENT = {
    "refused": Fault(drop="before"),
    "answer lost": Fault(drop="after"),
    "busy": Fault(status=503, body=_slow_down()),
    "internal": Fault(status=500, body=_slow_down("InternalError")),
    "too many": Fault(status=429),
    "bad gateway": Fault(status=502),
}
OPERATIONS = {
    "get": lambda store: store.get("a").content,
    "find": lambda store: store.find("a").size,
    "put": lambda store: store.put("b", b"x"),
    "put_if_absent": lambda store: store.put_if_absent("c", b"x"),
    "put_if_match": lambda store: store.put_if_match("a", b"x", store.find("a").tag),
    "list": lambda store: [found.key for found in store.list("")],
    "list_folders": lambda store: list(store.list_folders("")),
    "delete": lambda store: store.delete("a"),
}


@pytest.mark.parametrize("fault", TRANSIENT.values(), ids=TRANSIENT)
@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_transient_failure_is_tried_again(far_store, minio_store, fault_proxy, operation, fault):
    minio_store.put("a", b"first")
    wanted = operation(minio_store)
    for key in ("a", "b", "c"):
        minio_store.delete(key)
    minio_store.put("a", b"first")
    fault_proxy.fail(replace(fault, times=2))
    assert operation(far_store) == wanted
    assert len(fault_proxy.seen) >= 3


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_a_lasting_failure_is_told_after_four_tries(far_store, fault_proxy, operation):
    fault_proxy.fail(Fault(status=503, body=_slow_down(), times=100))
    with pytest.raises(StoreUnavailableError, match="busy") as caught:
        operation(far_store)
    assert caught.value.transient
    assert "secret" not in str(caught.value)
    assert len(fault_proxy.seen) == 1 + len(WAITS)


@pytest.mark.parametrize("code", ["RequestTimeout", "IncompleteBody", "BadDigest"])
def test_a_body_that_did_not_arrive_is_sent_again(far_store, minio_store, fault_proxy, code):
    fault_proxy.fail(Fault(status=400, body=_slow_down(code)))
    far_store.put("a", b"x")
    assert minio_store.get("a").content == b"x"


def test_a_refusal_is_not_tried_again(far_store, fault_proxy):
    fault_proxy.fail(Fault(status=400, body=_slow_down("EntityTooLarge"), times=100))
    with pytest.raises(StoreError, match=r"refused the request \(EntityTooLarge\)"):
        far_store.put("a", b"")
    assert len(fault_proxy.seen) == 1


@pytest.mark.parametrize("lost", [1, 3])
def test_a_creation_whose_answer_was_lost_is_won(far_store, minio_store, fault_proxy, lost):
    fault_proxy.fail(Fault(method="PUT", drop="after", times=lost))
    tag = far_store.put_if_absent("a", b"mine")
    assert minio_store.get("a").content == b"mine"
    assert minio_store.find("a").tag == tag


def test_a_creation_that_another_won_is_lost_whatever_the_network_did(
    far_store, minio_store, fault_proxy
):
    minio_store.put("a", b"theirs")
    fault_proxy.fail(Fault(method="PUT", drop="after", times=2))
    with pytest.raises(PreconditionError):
        far_store.put_if_absent("a", b"mine")
    assert minio_store.get("a").content == b"theirs"


def test_the_same_content_of_another_is_not_taken_for_ours_without_a_doubt(far_store, minio_store):
    minio_store.put("a", b"same")
    with pytest.raises(PreconditionError):
        far_store.put_if_absent("a", b"same")


def test_a_replacement_whose_answer_was_lost_is_won(far_store, minio_store, fault_proxy):
    tag = minio_store.put("a", b"old")
    fault_proxy.fail(Fault(method="PUT", drop="after"))
    assert far_store.put_if_match("a", b"mine", tag) == minio_store.find("a").tag
    assert minio_store.get("a").content == b"mine"


def test_a_replacement_that_another_overtook_is_lost(far_store, minio_store, fault_proxy):
    tag = minio_store.put("a", b"old")
    minio_store.put("a", b"theirs")
    fault_proxy.fail(Fault(method="PUT", drop="after"))
    with pytest.raises(PreconditionError):
        far_store.put_if_match("a", b"mine", tag)


def test_a_doubt_that_cannot_be_settled_is_told(far_store, fault_proxy):
    fault_proxy.fail(Fault(method="PUT", drop="after"))
    fault_proxy.fail(Fault(method="GET", drop="before", times=100))
    with pytest.raises(StoreUnavailableError):
        far_store.put_if_absent("a", b"mine")


@pytest.mark.parametrize("condition", ["if-none-match", "if-match"])
def test_a_stripped_condition_is_never_an_unconditional_write(
    far_store, minio_store, fault_proxy, condition
):
    minio_store.put("a", b"theirs")
    fault_proxy.fail(Fault(method="PUT", strip_request=frozenset({condition}), times=100))
    write = {
        "if-match": lambda: far_store.put_if_match("a", b"mine", "0" * 32),
        "if-none-match": lambda: far_store.put_if_absent("a", b"mine"),
    }[condition]
    with pytest.raises(StoreError, match=r"access denied.*no proxy changes requests"):
        write()
    assert minio_store.get("a").content == b"theirs"


@pytest.mark.parametrize(
    "fault",
    [
        Fault(truncate=1_000),
        Fault(truncate=1_000, strip_response=frozenset({"content-length"})),
        Fault(truncate=0),
        Fault(corrupt=True),
    ],
    ids=["cut", "cut without a length", "empty", "damaged"],
)
def test_a_cut_or_damaged_body_is_never_believed(far_store, minio_store, fault_proxy, fault):
    minio_store.put("a", b"x" * 100_000)
    fault_proxy.fail(replace(fault, method="GET", times=2))
    assert far_store.get("a").content == b"x" * 100_000
    fault_proxy.fail(replace(fault, method="GET", times=100))
    with pytest.raises(StoreUnavailableError, match="no proper answer"):
        far_store.get("a")


def test_a_conflict_is_tried_again_and_then_lost(far_store, minio_store, fault_proxy):
    conflict = Fault(method="PUT", status=409, body=_slow_down("ConditionalRequestConflict"))
    fault_proxy.fail(replace(conflict, times=2))
    far_store.put_if_absent("a", b"mine")
    fault_proxy.fail(replace(conflict, times=100))
    with pytest.raises(PreconditionError, match="another write was under way"):
        far_store.put_if_absent("b", b"mine")
    assert minio_store.find("b") is None


def test_a_listing_goes_on_where_it_was_cut(far_store, minio_store, fault_proxy):
    keys = [f"{n:04}" for n in range(1_010)]
    for key in keys:
        minio_store.put(f"many/{key}/x", b"")
    for fault in (Fault(drop="after"), Fault(truncate=50), Fault(status=503)):
        fault_proxy.fail(replace(fault, path="continuation-token"))
        assert [found.key for found in far_store.list("many/")] == [f"many/{key}/x" for key in keys]
        fault_proxy.fail(replace(fault, path="continuation-token"))
        assert list(far_store.list_folders("many/")) == keys


def test_a_server_that_hangs_is_given_up(minio_address, fault_proxy):
    store = MinioStore(
        replace(minio_address, endpoint=fault_proxy.endpoint), waits=(), read_timeout=0.3
    )
    fault_proxy.fail(Fault(delay=3.0))
    began = time.monotonic()
    with pytest.raises(StoreUnavailableError, match="no proper answer"):
        store.get("a")
    assert time.monotonic() - began < 2


def test_an_answer_without_an_etag_is_not_believed(far_store, fault_proxy):
    fault_proxy.fail(Fault(strip_response=frozenset({"etag"}), times=100))
    for call in (lambda: far_store.put("a", b"x"), lambda: far_store.get("a")):
        with pytest.raises(StoreUnavailableError, match="no proper answer"):
            call()
