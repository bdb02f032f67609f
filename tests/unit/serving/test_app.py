"""What a server answers, in both protocols, and how it refuses."""

import struct
import threading
import time
from dataclasses import replace

import orjson
import pytest

from tenantry.packed.model import PackedModel
from tenantry.serving.limits import Limits
from tests.unit.serving.served import (
    PRODUCT,
    ROW,
    FlakyStore,
    publish,
    publish_pooled,
    served,
    serving,
    v2,
)


class Slow:
    """A model that takes its time."""

    def predict_row(self, own, pooled):
        time.sleep(0.1)
        return 0.5


EXPECTED = 0.18242552380635635  # 1 / (1 + exp(1.5)): (500 - 700) / 100 + 0.5
UA = f"/v2/models/{PRODUCT}.ua"


@pytest.fixture
def store():
    store = FlakyStore()
    publish(store)
    return store


@served
async def test_both_protocols_give_the_models_prediction(store):
    async with serving(store) as client:
        inferred = (await client.infer()).json
        outputs = {one["name"]: one for one in inferred["outputs"]}
        assert outputs["probability"]["data"] == [pytest.approx(EXPECTED, abs=1e-15)]
        assert outputs["decision"] == {
            "name": "decision",
            "datatype": "BOOL",
            "shape": [1],
            "data": [False],
        }
        assert (inferred["id"], inferred["model_version"]) == ("r1", "v1")
        assert inferred["parameters"]["as_of"] == "2013-10-01T00:00:00Z"
        predicted = (await client.predict(rows=[ROW, {**ROW, "distance": None}])).json
        first, second = predicted["predictions"]
        assert first == {"probability": pytest.approx(EXPECTED, abs=1e-15), "decision": False}
        assert second["decision"] is True
        assert (predicted["model_version"], predicted["as_of"]) == ("v1", "2013-10-01T00:00:00Z")


@served
async def test_binary_tensors_are_read(store):
    texts = b"".join(struct.pack("<I", len(one)) + one for one in (b"JFK", b"LGA"))
    numbers = struct.pack("<2d", 500.0, float("nan"))
    inputs = [
        {"name": name, "shape": [2], "datatype": kind, "parameters": {"binary_data_size": size}}
        for name, kind, size in (("distance", "FP64", 16), ("origin", "BYTES", len(texts)))
    ]
    head = orjson.dumps({"inputs": inputs, "outputs": [{"name": "probability"}]})
    length = {"inference_header_content_length": str(len(head))}
    async with serving(store) as client:
        answer = await client.ask("POST", f"{UA}/infer", head + numbers + texts, **length)
        (output,) = answer.json["outputs"]
        assert output["data"] == [pytest.approx(EXPECTED), pytest.approx(0.3775406687981454)]
        for broken in (head + numbers, head + numbers + texts + b"x", head[:-1]):
            assert (await client.ask("POST", f"{UA}/infer", broken, **length)).status == 400


@served
async def test_regressions_answer_values_and_their_interval():
    store = FlakyStore()
    interval = {"level": 0.8, "low": -5.0, "high": 7.0, "rows": 100}
    publish(store, task="regression", threshold=None, interval=interval)
    async with serving(store) as client:
        (row,) = (await client.predict()).json["predictions"]
        assert row["high"] - row["value"] == pytest.approx(7.0)
        assert row["low"] - row["value"] == pytest.approx(-5.0)


@served
async def test_the_metadata_name_what_is_read_and_answered(store):
    async with serving(store) as client:
        about = (await client.ask("GET", UA)).json
        assert about["platform"] == "tenantry_packed"
        assert {one["name"]: one["datatype"] for one in about["inputs"]} == {
            "distance": "FP64",
            "origin": "BYTES",
            "at": "BYTES",
        }
        assert [one["name"] for one in about["outputs"]] == ["probability", "decision"]
        for path in (f"{UA}/ready", f"{UA}/versions/v1/ready", f"/v1/models/{PRODUCT}.ua"):
            assert (await client.ask("GET", path)).json["ready"] is True


@served
async def test_reasons_are_the_models_own_in_words(store):
    publish(store, "mute", explain={"top": 0})
    async with serving(store) as client:
        body = {"instances": [ROW, {**ROW, "distance": None}]}
        answer = await client.ask("POST", f"/v1/models/{PRODUCT}.ua:explain", body)
        first, second = answer.json["explanations"]
        assert first["probability"] == pytest.approx(EXPECTED, abs=1e-15)
        assert [one["feature"] for one in first["reasons"]] == ["distance", "origin"]
        assert first["reasons"][0] == {
            "feature": "distance",
            "title": "distance",
            "value": "500",
            "contribution": pytest.approx(-2.0),
        }
        assert "distance" not in [one["feature"] for one in second["reasons"]]
        mute = await client.ask("POST", f"/v1/models/{PRODUCT}.mute:explain", body)
        assert (mute.status, mute.json["reason"]) == (501, "no_reasons")
        assert client.serving.figures.rows == 2  # those that are not explained are not predicted


@served
async def test_what_reasons_are_looked_up_in_is_built_once_and_by_another_thread(
    store, monkeypatch
):
    threads, prepare = [], PackedModel.prepare_parts

    def noted(model):
        threads.append(threading.current_thread())
        prepare(model)

    monkeypatch.setattr(PackedModel, "prepare_parts", noted)
    async with serving(store) as client:
        for _ in range(2):
            body = {"instances": [ROW]}
            answer = await client.ask("POST", f"/v1/models/{PRODUCT}.ua:explain", body)
            assert answer.status == 200
        assert len(threads) == 1
        assert threads[0] is not threading.current_thread()


@served
async def test_a_version_that_does_not_reign_is_not_found(store):
    async with serving(store) as client:
        assert (await client.ask("POST", f"{UA}/versions/v1/infer", v2(ROW))).status == 200
        assert (await client.ask("POST", f"{UA}/versions/v9/infer", v2(ROW))).status == 404


@served
async def test_tenants_share_the_pooled_model():
    store = FlakyStore()
    pooled = publish_pooled(store)
    for number, tenant in enumerate(("aa", "ua")):
        publish(store, tenant, intercept=float(number), pooled=pooled, parts="pooled")
    async with serving(store) as client:
        store.reads = 0
        told = [
            (await client.predict(tenant)).json["predictions"][0]["probability"]
            for tenant in ("aa", "ua")
        ]
        assert told[0] < told[1]
        assert store.reads == 5  # two records, two models, one pooled model
        parts = [one.loaded.held.part for one in client.serving.pool.tenants.values()]
        assert parts[0] is parts[1]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"{}",
        {"inputs": []},
        {"inputs": [1]},
        {"inputs": [[]]},
        {"inputs": [{"name": "distance"}]},
        {"inputs": [{"name": 1, "shape": [1], "datatype": "FP64", "data": [1]}]},
        {"inputs": [{"name": "distance", "shape": 1, "datatype": "FP64", "data": [1]}]},
        {"inputs": [{"name": "distance", "shape": [-1], "datatype": "FP64", "data": [1]}]},
        {"inputs": [{"name": "distance", "shape": [0], "datatype": "FP64", "data": []}]},
        {"inputs": [{"name": "distance", "shape": [9999], "datatype": "FP64", "data": [1]}]},
        {"inputs": [{"name": "distance", "shape": [1], "datatype": ["FP64"], "data": [1]}]},
        {"inputs": [{"name": "distance", "shape": [1], "datatype": "FP64", "data": [[1, 2]]}]},
        {"inputs": [{"name": "distance", "shape": [1], "datatype": "FP64", "data": [{}]}]},
        {"inputs": [{"name": "distance", "shape": [1], "datatype": "FP64"}]},
        {"inputs": 2 * v2({"distance": 1.0})["inputs"]},
        v2(ROW) | {"outputs": [{"name": "secret"}]},
        v2(ROW) | {"outputs": [1]},
        v2({"distance": "far"}),
        v2({"elsewhere": 1.0}),
    ],
)
@served
async def test_what_cannot_be_read_is_refused_in_words(store, body):
    async with serving(store) as client:
        answer = await client.ask("POST", f"{UA}/infer", body)
        assert (answer.status, answer.json["reason"]) == (400, "bad_request")
        assert "far" not in answer.json["error"]


@pytest.mark.parametrize("body", [b"", {}, {"instances": []}, {"instances": [1]}])
@served
async def test_v1_refuses_likewise(store, body):
    async with serving(store) as client:
        path = f"/v1/models/{PRODUCT}.ua:predict"
        assert (await client.ask("POST", path, body)).status == 400
        nested = {"instances": [{"distance": [1]}]}
        assert (await client.ask("POST", path, nested)).status == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/v2", 200),
        ("GET", "/v2/health/live", 200),
        ("GET", "/v2/health/ready", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/v2/health/live/", 404),
        ("POST", "/v2", 405),
        ("GET", f"{UA}/infer", 405),
        ("POST", UA, 405),
        ("POST", f"{UA}/train", 404),
        ("POST", f"/v1/models/{PRODUCT}.ua:train", 404),
        ("POST", f"/v1/models/{PRODUCT}.ua/x:predict", 404),
        ("GET", f"/v2/models/{PRODUCT}.zz", 404),
        ("GET", "/v2/models/" + "x" * 5000, 404),
        ("GET", "/v2/models/../../etc/passwd", 404),
    ],
)
@served
async def test_every_path_is_answered_in_json(store, method, path, status):
    async with serving(store) as client:
        answer = await client.ask(method, path)
        assert answer.status == status
        assert answer.headers["content-type"] == "application/json"
        assert status == 200 or {*answer.json} == {"error", "reason"}


@served
async def test_bodies_and_rows_have_limits(store):
    async with serving(store, limits=Limits(body=2000, rows=3)) as client:
        large = b"x" * 2001
        declared = await client.ask("POST", f"{UA}/infer", large, content_length="2001")
        streamed = await client.ask(
            "POST",
            f"{UA}/infer",
            large[:1500],
            parts=[{"type": "http.request", "body": large[:1500], "more_body": True}],
        )
        assert (declared.status, streamed.status) == (413, 413)
        many = await client.predict(rows=[ROW] * 4)
        assert (many.status, many.json["error"]) == (
            400,
            "4 rows in one request; at most 3 are taken",
        )


@served
async def test_a_body_that_does_not_come_is_given_up(store):
    async with serving(store, limits=Limits(timeout=0.05)) as client:
        part = {"type": "http.request", "body": b"{", "more_body": True}
        answer = await client.ask("POST", f"{UA}/infer", parts=[part], hangs=True)
        assert (answer.status, answer.json["reason"]) == (408, "slow_body")
        assert (await client.infer()).status == 200


@served
async def test_a_model_that_takes_too_long_is_not_blamed_on_the_body(store):
    async with serving(store, limits=Limits(timeout=0.02)) as client:
        await client.infer()
        (tenant,) = client.serving.pool.tenants.values()
        tenant.loaded = replace(tenant.loaded, packed=None, scorer=Slow())
        answer = await client.infer()
        assert (answer.status, answer.json["reason"]) == (503, "slow_model")


@served
async def test_who_hangs_up_is_no_failure(store):
    async with serving(store) as client:
        with pytest.raises(ValueError, match="unpack"):  # nothing is sent
            await client.ask("POST", f"{UA}/infer", parts=[{"type": "http.disconnect"}])
        assert client.serving.figures.refusals == {"gone": 1}
        assert (await client.infer()).status == 200
