"""Who may ask, how much of it, and what is told of it."""

import asyncio
import hashlib
import io
import threading
from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantry.errors import SettingsError
from tenantry.serving.accesslog import AccessLog
from tenantry.serving.limits import Allowance, Limits
from tenantry.serving.refusals import RefusedError
from tenantry.serving.tokens import parse_tokens
from tests.unit.serving.served import PRODUCT, ROW, FlakyStore, publish, served, serving


def hashed(token):
    return hashlib.sha256(token.encode()).hexdigest()


def bearer(token):
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def store():
    store = FlakyStore()
    for tenant in ("ua", "aa"):
        publish(store, tenant)
    return store


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(
        f"# tokens\n\n{hashed('of-ua')}  {PRODUCT}.ua\n{hashed('of-product')} {PRODUCT}\n"
        f"{hashed('of-metrics')} metrics\n{hashed('of-all')} *\n"
    )
    return path


@served
async def test_a_token_opens_its_tenant_and_no_other(store, file):
    async with serving(store, tokens=file) as client:
        for token, ua, aa in (("of-ua", 200, 401), ("of-product", 200, 200), ("of-all", 200, 200)):
            assert (await client.infer("ua", **bearer(token))).status == ua
            assert (await client.infer("aa", **bearer(token))).status == aa
        for headers in ({}, bearer("guessed"), bearer(""), {"authorization": "Basic of-ua"}):
            answer = await client.infer("ua", **headers)
            assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")


@served
async def test_a_refusal_does_not_tell_whether_there_is_such_a_tenant(store, file):
    async with serving(store, tokens=file) as client:
        for verb in ("", "/ready", "/infer", "/versions/v1/infer"):
            method = "POST" if verb.endswith("infer") else "GET"
            answers = [
                await client.ask(
                    method, f"/v2/models/{PRODUCT}.{name}{verb}", b"", **bearer("of-ua")
                )
                for name in ("aa", "zz", "", "../x")
            ]
            told = {(one.status, one.body, tuple(one.headers.items())) for one in answers[:3]}
            assert len(told) == 1
        assert (await client.infer("zz", **bearer("of-product"))).status == 404


@served
async def test_metrics_need_a_token_of_their_own(store, file):
    async with serving(store, tokens=file) as client:
        for token, status in (("of-metrics", 200), ("of-all", 200), ("of-product", 401)):
            assert (await client.ask("GET", "/metrics", **bearer(token))).status == status
        assert (await client.ask("GET", "/v2/health/ready")).status == 200


@served
async def test_tokens_are_replaced_without_a_restart(store, file, caplog):
    async with serving(store, tokens=file) as client:
        file.write_text(f"{hashed('new')} {PRODUCT}.ua\n{hashed('newer')} {PRODUCT}.ua\n")
        await client.serving.poll()
        statuses = [
            (await client.infer("ua", **bearer(token))).status
            for token in ("of-ua", "new", "newer")
        ]
        assert statuses == [401, 200, 200]
        file.write_text("nonsense")
        await client.serving.poll()
        await client.serving.poll()
        assert (await client.infer("ua", **bearer("new"))).status == 200
        assert client.serving.figures.token_faults == 1
        file.unlink()
        await client.serving.poll()
        await client.serving.poll()
        assert (await client.infer("ua", **bearer("new"))).status == 200
        assert client.serving.figures.token_faults == 3
        assert caplog.text.count("No such file") == 1
        assert hashed("new") not in caplog.text


@pytest.mark.parametrize("text", ["", "# none", "abc ua", f"{'0' * 64} A.b", f"{'0' * 64}"])
def test_files_without_usable_tokens_are_refused(text):
    with pytest.raises(SettingsError, match="tokens"):
        parse_tokens(text)


@served
async def test_over_its_rate_a_tenant_waits_and_others_do_not(store):
    async with serving(store, limits=Limits(rate=0.5, burst=3)) as client:
        statuses = [(await client.infer()).status for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        refused = await client.infer()
        assert refused.json["reason"] == "rate"
        assert 1 <= int(refused.headers["retry-after"]) <= 2
        assert (await client.infer("aa")).status == 200


@served
async def test_rows_count_not_requests(store):
    async with serving(store, limits=Limits(rate=0.01, burst=10)) as client:
        assert (await client.predict(rows=[ROW] * 10)).status == 200
        assert (await client.infer()).status == 429


@served
async def test_long_requests_that_come_together_cannot_all_be_owed(store):
    async with serving(store, limits=Limits(rate=0.01, burst=10)) as client:
        asked = (client.predict(rows=[ROW] * 40) for _ in range(5))
        statuses = [one.status for one in await asyncio.gather(*asked)]
        assert sorted(statuses) == [200, 429, 429, 429, 429]


@served
async def test_the_queue_has_an_end(store):
    async with serving(store, limits=Limits(queue=1)) as client:
        client.serving.figures.active = 1
        answer = await client.infer()
        assert (answer.status, answer.json["reason"]) == (503, "full")
        assert answer.headers["retry-after"] == "1"


@given(
    moments=st.lists(st.floats(0, 100, allow_nan=False), min_size=1, max_size=60),
    rate=st.floats(0.1, 50),
    burst=st.floats(1, 50),
)
def test_no_more_than_the_rate_is_let_in(moments, rate, burst):
    limits = Limits(rate=rate, burst=burst, concurrency=1000)
    allowance, let_in = Allowance(limits), 0
    for moment in sorted(moments):
        with suppress(RefusedError):
            allowance.enter(limits, moment)
            let_in += 1
    assert let_in <= burst + rate * max(moments) + 1e-6


def test_concurrency_is_given_back():
    limits = Limits(concurrency=1)
    allowance = Allowance(limits)
    allowance.enter(limits, 0.0)
    with pytest.raises(RefusedError, match="at a time"):
        allowance.enter(limits, 0.0)
    allowance.leave()
    allowance.enter(limits, 0.0)


@served
async def test_the_access_log_has_a_line_a_request_and_no_rows(store, file):
    stream = io.BytesIO()
    async with serving(store, tokens=file, access_log=stream) as client:
        await client.infer(**bearer("of-ua"))
        await client.infer("aa", **bearer("of-ua"))
    first, second = map(orjson.loads, stream.getvalue().splitlines())
    assert (first["tenant"], first["version"], first["status"], first["rows"]) == (
        "ua",
        "v1",
        200,
        1,
    )
    assert (second["tenant"], second["status"], second["reason"]) == ("aa", 401, "unauthorized")
    assert first["ms"] > 0
    assert b"JFK" not in stream.getvalue()
    assert b"of-ua" not in stream.getvalue()


@served
async def test_series_do_not_grow_with_tenants():
    async def series(tenants):
        store = FlakyStore()
        for number in range(tenants):
            publish(store, f"t{number}")
        async with serving(store) as client:
            for number in range(tenants):
                await client.infer(f"t{number}")
            await client.infer("nobody")
            text = (await client.ask("GET", "/metrics")).body.decode()
        assert f"tenantry_serving_loaded {tenants}.0" in text
        assert (
            f'tenantry_serving_requests_total{{call="v2 infer",status="200"}} {tenants}.0' in text
        )
        return [line for line in text.splitlines() if not line.startswith("#")]

    assert len(await series(12)) == len(await series(30))


class StuckStream(io.BytesIO):
    """Nobody reads what is written, until `gate` opens."""

    def __init__(self):
        super().__init__()
        self.gate = threading.Event()
        self.has_begun = threading.Event()

    def write(self, content):
        self.has_begun.set()
        self.gate.wait(10)
        return super().write(content)


@served
async def test_a_log_that_nobody_reads_stops_nothing(store):
    stream = StuckStream()
    async with serving(store, access_log=stream) as client:
        await client.infer()
        await asyncio.to_thread(stream.has_begun.wait, 10)
        assert (await client.infer()).status == 200
        assert not stream.getvalue()
        stream.gate.set()
    assert stream.getvalue().count(b"\n") == 2


class ClosedStream(io.BytesIO):
    def write(self, _):
        raise BrokenPipeError


def test_a_log_that_cannot_be_written_is_told_once(caplog):
    log = AccessLog(ClosedStream())
    for _ in range(2):
        log.tell("p.t", "v2 infer", status=200, reason="", version="v1", rows=1, seconds=0.1)
        log.flush()
    assert caplog.text.count("no more access log") == 1
