"""Asks a server by KServe's client, v1 and v2, and by Triton's; prints what each was told.

Runs in the clients' environment: it knows nothing of Tenantry.
"""

import asyncio
import json
import sys

import numpy as np
import tritonclient.http as triton
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

NUMBERS = {"distance": [500.0, 900.0]}
TEXTS = {"origin": ["JFK", "LGA"], "at": ["2013-10-02T10:00:00Z", "2013-10-03T10:00:00Z"]}
ROWS = [{name: values[row] for name, values in (NUMBERS | TEXTS).items()} for row in range(2)]


async def by_kserve(url: str, model: str, headers: dict[str, str]) -> dict[str, object]:
    """Ask by KServe's inference client."""
    v1 = InferenceRESTClient(RESTConfig(protocol="v1"))
    v2 = InferenceRESTClient(RESTConfig(protocol="v2"))
    predicted = await v1.infer(url, {"instances": ROWS}, model_name=model,
                               headers=headers)  # fmt: skip
    inputs = [InferInput(name, [2], "FP64", values) for name, values in NUMBERS.items()]
    inputs += [InferInput(name, [2], "BYTES", values) for name, values in TEXTS.items()]
    inferred = await v2.infer(url, InferRequest(model, inputs), model_name=model, headers=headers)
    return {
        "live": await v2.is_server_live(url),
        "ready": await v2.is_server_ready(url),
        "model ready": await v2.is_model_ready(url, model, headers=headers),
        "v1": [row["probability"] for row in predicted["predictions"]],
        "v2": np.ravel(inferred.outputs[0].data).tolist(),
    }


def by_triton(url: str, model: str, headers: dict[str, str]) -> dict[str, object]:
    """Ask by Triton's HTTP client, tensors in binary and in JSON."""
    client = triton.InferenceServerClient(url.removeprefix("http://"))
    found: dict[str, object] = {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "model ready": client.is_model_ready(model, headers=headers),
        "inputs": sorted(
            one["name"] for one in client.get_model_metadata(model, headers=headers)["inputs"]
        ),
    }
    for way, binary in (("binary", True), ("json", False)):
        tensors = []
        for name, values in (NUMBERS | TEXTS).items():
            is_text = isinstance(values[0], str)
            array = np.array(values, dtype=object if is_text else np.float64)
            tensor = triton.InferInput(name, [2], "BYTES" if is_text else "FP64")
            tensor.set_data_from_numpy(array, binary_data=binary)
            tensors.append(tensor)
        answer = client.infer(model, tensors, headers={**headers})  # it adds to them
        found[way] = answer.as_numpy("probability").tolist()
        found["decisions"] = answer.as_numpy("decision").tolist()
    return found


def main() -> None:
    """Ask, and print JSON."""
    url, model, token = sys.argv[1:4]
    headers = {"Authorization": f"Bearer {token}"}
    told = {
        "kserve": asyncio.run(by_kserve(url, model, headers)),
        "triton": by_triton(url, model, headers),
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
