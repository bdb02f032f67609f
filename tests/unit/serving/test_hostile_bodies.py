"""No body makes a server fail: whatever it is, the answer is a prediction or a refusal."""

import asyncio

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.serving.logged import ALWAYS
from tests.unit.serving.served import PRODUCT, ROW, FlakyStore, publish, serving, v2
from tests.unit.serving.test_challenging import try_beside

PATHS = (f"/v2/models/{PRODUCT}.ua/infer", f"/v1/models/{PRODUCT}.ua:predict")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8).filter(lambda text: text.isprintable())
    | st.sampled_from(["distance", "origin", "FP64", "BYTES", "JFK"])
)
KEYS = st.sampled_from(
    ["inputs", "outputs", "instances", "id", "name", "shape", "datatype", "data", "parameters",
     "binary_data_size", "distance", "origin", "at"]
)  # fmt: skip
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


@st.composite
def damaged(draw):
    """A good request with something else in one place."""
    content = draw(st.sampled_from([v2(ROW), {"instances": [ROW, ROW]}]))
    content = place = orjson.loads(orjson.dumps(content))
    while True:
        keys = [*place] if isinstance(place, dict) else [*range(len(place))]
        key = draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or not place[key] or draw(st.booleans()):
            place[key] = draw(ANYTHING)
            return orjson.dumps(content)
        place = place[key]


BODIES = damaged() | ANYTHING.map(orjson.dumps) | st.binary(max_size=60)
LENGTHS = st.none() | st.text("0123456789-x", max_size=4) | st.integers(0, 400).map(str)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    asked=st.lists(st.tuples(st.sampled_from(PATHS), BODIES, LENGTHS), min_size=1, max_size=6),
    mode=st.sampled_from(["", "shadow", "canary"]),
)
def test_no_body_makes_it_fail(asked, mode):
    """Nor the log of predictions, nor a challenger."""

    async def ask():
        store = FlakyStore()
        if mode:
            try_beside(store, mode, log=ALWAYS)
        else:
            publish(store)
        async with serving(store) as client:
            for path, body, length in asked:
                headers = {} if length is None else {"inference_header_content_length": length}
                answer = await client.ask("POST", path, body, **headers)
                assert answer.status in (200, 400), answer.body
                assert answer.status == 200 or answer.json["reason"] == "bad_request"
            assert client.serving.pool.tenants[f"{PRODUCT}.ua"].allowance.active == 0
            await client.serving.shadow.settle()
            await client.serving.predictions.write()
            assert client.serving.figures.logged.keys() <= {"written", "unplaced"}
            assert client.serving.figures.tried.keys() <= {"scored", "answered"}

    asyncio.run(ask())
