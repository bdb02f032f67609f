"""Connections: small requests are answered where they are read, others by ASGI, and all alike."""

import asyncio
import gc

import orjson
import pytest
from uvicorn.server import ServerState

from tenantry.serving import connection
from tenantry.serving.limits import Limits
from tenantry.serving.refusals import RefusedError
from tests.unit.serving.served import (
    PRODUCT,
    ROW,
    FlakyStore,
    Wire,
    publish,
    served,
    serving,
    v2,
)

UA = f"/v2/models/{PRODUCT}.ua/infer"
AA = f"/v2/models/{PRODUCT}.aa/infer"
BODY = orjson.dumps(v2(ROW))
READY = "/v2/health/ready"


@pytest.fixture
def store():
    store = FlakyStore()
    publish(store)
    publish(store, "aa")
    return store


class Counted:
    """The models of a server, and who asked them."""

    def __init__(self, serving):
        self.here = self.by_asgi = 0
        self._models = serving.models
        serving.models = self

    def answer(self, request, body):
        self.here += 1
        return self._models.answer(request, body)

    async def __call__(self, scope, receive, send):
        self.by_asgi += 1
        await self._models(scope, receive, send)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (UA, BODY),
        (f"/v1/models/{PRODUCT}.ua:predict", orjson.dumps({"instances": [ROW] * 40})),
        (f"/v1/models/{PRODUCT}.ua:explain", orjson.dumps({"instances": [ROW]})),
        (UA, b"{"),
        (f"/v2/models/{PRODUCT}.zz/infer", BODY),
        (f"/v2/models/{PRODUCT}.ua/train", BODY),
    ],
)
@served
async def test_connections_answer_as_asgi_does(store, path, body):
    async with serving(store) as client:
        messages = [{"type": "http.request", "body": body}]
        by_asgi = await client.ask_asgi("POST", path, messages)
        counted = Counted(client.serving)
        here = await client.ask("POST", path, body)
        assert (counted.here, counted.by_asgi) == (1, 0)
        assert (here.status, here.body) == (by_asgi.status, by_asgi.body)
        assert here.headers == by_asgi.headers


@served
async def test_refusals_leave_nothing_behind(store):
    """What hangs in a cycle is there until Python looks for cycles, and bodies with it."""
    async with serving(store) as client:
        await client.infer()
        gc.collect()
        gc.disable()
        try:
            body = orjson.dumps({"instances": [{"distance": "far"}]})
            path = f"/v1/models/{PRODUCT}.ua:predict"
            assert (await client.ask("POST", path, body)).status == 400
            by_asgi = await client.ask_asgi("POST", path, [{"type": "http.request", "body": body}])
            assert by_asgi.status == 400
            assert not [one for one in gc.get_objects() if type(one) is RefusedError]
        finally:
            gc.enable()


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"{UA}?at=now", {}),
        (UA.replace("ua", "%75a"), {}),
        (UA, {"connection": "close"}),
        (UA, {"expect": "100-continue"}),
    ],
)
@served
async def test_what_is_unusual_is_left_to_asgi(store, path, headers):
    async with serving(store) as client:
        counted = Counted(client.serving)
        assert (await client.ask("POST", path, BODY, **headers)).status == 200
        assert (counted.here, counted.by_asgi) == (0, 1)


@served
async def test_a_body_may_come_piece_by_piece(store):
    async with serving(store) as client:
        counted = Counted(client.serving)
        wire = Wire(client.serving)
        wire.send("POST", UA, content_length=str(len(BODY)))
        for piece in (BODY[:9], BODY[9:]):
            assert wire.answers.empty()
            wire.connection.data_received(piece)
        assert (await wire.receive()).status == 200
        assert (counted.here, counted.by_asgi) == (1, 0)


@served
async def test_requests_are_answered_in_their_order(store):
    async with serving(store) as client:
        wire = Wire(client.serving)
        paths = [UA, UA, "/v2", AA, UA, "/v2/health/live", UA]  # ua and aa are loaded meanwhile
        for path in paths:
            wire.send("POST" if "infer" in path else "GET", path, BODY if "infer" in path else b"")
        told = [(await wire.receive()).json for _ in paths]
        assert [one.get("model_name", "")[-2:] for one in told] == [
            "ua",
            "ua",
            "",
            "aa",
            "ua",
            "",
            "ua",
        ]


@served
async def test_who_sends_many_at_once_lets_others_have_their_turn(store):
    async with serving(store) as client:
        await client.infer()
        counted = Counted(client.serving)
        wire = Wire(client.serving)
        head = f"POST {UA} HTTP/1.1\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()
        wire.connection.data_received(3 * (head + BODY))
        assert wire.answers.qsize() == 1
        assert {(await wire.receive()).status for _ in range(3)} == {200}
        assert (counted.here, counted.by_asgi) == (1, 2)


@served
async def test_a_body_that_stops_coming_is_given_up(store):
    async with serving(store, limits=Limits(timeout=0.05)) as client:
        wire = Wire(client.serving)
        wire.send("POST", UA, BODY[:9], content_length=str(len(BODY)))
        wire.connection.look_after()
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            while wire.answers.empty():
                client.serving._patience.end_waiting()
                await asyncio.sleep(0.01)
        answer = await wire.receive()
        assert (answer.status, answer.json["reason"]) == (408, "slow_body")


@served
async def test_a_body_that_comes_late_is_answered(store):
    async with serving(store) as client:
        wire = Wire(client.serving)
        wire.send("POST", UA, BODY[:9], content_length=str(len(BODY)))
        wire.connection.look_after()
        wire.connection.data_received(BODY[9:])
        assert (await wire.receive()).status == 200


@served
async def test_who_hangs_up_before_the_end_of_a_body_is_counted_as_gone(store):
    async with serving(store) as client:
        wire = Wire(client.serving)
        wire.send("POST", UA, BODY[:9], content_length=str(len(BODY)))
        wire.connection.connection_lost(None)
        async with asyncio.timeout(10):
            while not client.serving.figures.refusals:
                await asyncio.sleep(0)
        assert client.serving.figures.refusals == {"gone": 1}
        assert client.serving.figures.active == 0


@served
async def test_who_is_being_answered_at_the_end_is_answered(store):
    async with serving(store) as client:
        wire, idle = Wire(client.serving), Wire(client.serving)
        wire.send("POST", UA, BODY[:9], content_length=str(len(BODY)))
        wire.connection.shutdown()
        idle.connection.shutdown()
        assert (wire.is_closed, idle.is_closed) == (False, True)
        wire.connection.data_received(BODY[9:])
        assert (await wire.receive()).headers["connection"] == "close"
        assert wire.is_closed


@served
async def test_who_stops_ends_its_connections(store):
    async with serving(store) as client:
        await client.infer()
        client.serving.stop_taking()
        wire = Wire(client.serving)
        wire.send("POST", UA, BODY)
        assert (await wire.receive()).headers["connection"] == "close"
        assert wire.is_closed


@pytest.mark.parametrize("sent", [b"", b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n"])
@served
async def test_who_sends_no_head_is_not_waited_for(store, monkeypatch, sent):
    monkeypatch.setattr(connection, "HEAD_SECONDS", -1.0)
    async with serving(store) as client:
        wire = Wire(client.serving)
        if sent:
            wire.connection.data_received(sent)
        wire.connection.look_after()
        assert wire.is_closed


@served
async def test_connections_without_requests_are_closed_in_time(store, monkeypatch):
    async with serving(store) as client:
        await client.infer()
        wire = Wire(client.serving)
        wire.send("POST", UA, BODY)
        wire.connection.look_after()
        assert not wire.is_closed
        monkeypatch.setattr(connection, "KEEP_SECONDS", -1.0)
        wire.send("POST", UA, BODY)
        wire.connection.look_after()
        assert wire.is_closed


@served
async def test_probes_are_answered_when_all_connections_are_taken(store):
    async with serving(store) as client:
        state = ServerState()
        held, probe, other = [Wire(client.serving, connections=1, state=state) for _ in range(3)]
        probe.send("GET", READY)
        answer = await probe.receive()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        other.send("POST", UA, BODY)
        answer = await other.receive()
        assert (answer.status, answer.json["reason"]) == (503, "full")
        assert (probe.is_closed, other.is_closed) == (True, True)
        held.send("POST", UA, BODY)
        assert (await held.receive()).status == 200
        assert not held.is_closed
