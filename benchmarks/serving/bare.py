"""The least that could answer: Starlette on uvicorn around packed models, and nothing else.

It reads features as JSON, looks the tenant's packed model up, and answers with its probability: no
raw fields, no contract, limits, tokens, figures, log or swaps. So it tells how fast the machine is:
on that of the issue it took 98 µs of CPU a request.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.serving.asks import draw
from benchmarks.serving.fleet import FIRST, PRODUCT, feature_rows, name_of
from benchmarks.serving.load import Ask
from tenantry import layout
from tenantry.packed.file import read_model
from tenantry.packed.model import PackedModel
from tenantry.store.folder import FolderStore

ELSEWHERE = 98.0
"""Its CPU microseconds a request where the targets were set."""


def bare_command(store: FolderStore, models: int, port: int) -> list[str]:
    """Return what starts it over the models of a fleet in a store."""
    return [sys.executable, "-m", "benchmarks.serving.bare", store.url, str(models), str(port)]


def bare_asks(models: int) -> list[Ask]:
    """Return requests of features, of tenants by Zipf's law."""
    bodies = [orjson.dumps({"instances": [row]}) for row in feature_rows(50)]
    return [(f"/{name_of(number)}", bodies[number % len(bodies)]) for number in draw(models)]


def make_app(models: dict[str, PackedModel]) -> Starlette:
    """Return the application."""

    async def answer(request: Request) -> Response:
        (row,) = orjson.loads(await request.body())["instances"]
        told = models[request.path_params["name"]].predict_row(row, {})
        content = orjson.dumps({"predictions": [{"probability": told}]})
        return Response(content, media_type="application/json")

    async def ready(_: Request) -> Response:
        return Response()

    return Starlette(routes=[Route("/ready", ready), Route("/{name}", answer, methods=["POST"])])


def _read(url: str, models: int) -> Iterator[tuple[str, PackedModel]]:
    store = FolderStore(Path(url.removeprefix("file://")))
    for number in range(models):
        name = name_of(number)
        key = f"{layout.model_folder(PRODUCT, name, FIRST)}packed.bin"
        yield name, read_model(store.get(key).content, None)


def main() -> None:
    """Serve until the end."""
    url, models, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    app = make_app(dict(_read(url, models)))
    uvicorn.run(
        app, port=port, loop="uvloop", http="httptools", access_log=False, log_level="error"
    )


if __name__ == "__main__":
    main()
