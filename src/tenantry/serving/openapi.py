"""The OpenAPI document that the server serves: every path, and how each may end."""

from typing import Any

import orjson

_NAME = {
    "name": "model",
    "in": "path",
    "required": True,
    "description": "<product>.<tenant>",
    "schema": {"type": "string", "pattern": r"^[a-z0-9-]{1,63}\.[a-z0-9-]{1,63}$"},
}
_VERSION = {
    "name": "version",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 80, "pattern": "^[A-Za-z0-9-]+$"},
}
_VALUE = {"type": ["string", "number", "boolean", "null"]}
_REFUSALS = {
    400: "What the request says cannot be used; the message names fields, never values.",
    401: "No bearer token that opens this model; also where there is no such model.",
    404: "No such model or version.",
    405: "The path has no such method.",
    408: "The body did not come in time.",
    413: "The body is too large.",
    429: "More than the tenant's share; Retry-After says when to ask again.",
    501: "This model's predictions come without reasons.",
    503: "The model or the server cannot answer now; Retry-After says when to ask again.",
}


def make_document(*, has_tokens: bool) -> bytes:
    """Write the document as JSON.

    Args:
        has_tokens: Whether clients need a bearer token.
    """
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "Tenantry predictions",
            "version": "2",
            "description": "Open Inference Protocol v2 and KServe v1: one model a tenant.",
        },
        "paths": _paths(),
        "components": {"schemas": _SCHEMAS},
    }
    if has_tokens:
        scheme = {"type": "http", "scheme": "bearer"}
        document["components"]["securitySchemes"] = {"token": scheme}
        for path, methods in document["paths"].items():
            if "/models/" in path or path == "/metrics":
                for operation in methods.values():
                    operation["security"] = [{"token": []}]
    return orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)


def _paths() -> dict[str, Any]:
    of_version = "/v2/models/{model}/versions/{version}"
    return {
        "/v2/health/live": {"get": _get("Whether the process answers", "Flag")},
        "/v2/health/ready": {"get": _get("Whether it can answer for its tenants", "Flag", 503)},
        "/v2": {"get": _get("What the server is", "Any")},
        "/v2/models/{model}": {"get": _of_model("What a model reads and answers", "Any")},
        "/v2/models/{model}/ready": {"get": _of_model("Whether a model answers", "Any")},
        "/v2/models/{model}/infer": {"post": _infer()},
        of_version: {"get": _of_model("What a version reads and answers", "Any", version=True)},
        f"{of_version}/ready": {
            "get": _of_model("Whether a version answers", "Any", version=True),
        },
        f"{of_version}/infer": {"post": _infer(version=True)},
        "/v1/models/{model}": {"get": _of_model("Whether a model answers", "Any")},
        "/v1/models/{model}:predict": {
            "post": _of_model("Predict rows", "Predictions", body="Instances"),
        },
        "/v1/models/{model}:explain": {
            "post": _of_model("Predict rows, with reasons", "Explanations", body="Instances"),
        },
        "/metrics": {
            "get": {
                "summary": "Prometheus metrics",
                "responses": {200: _text(), 401: _refused(401)},
            }
        },
        "/openapi.json": {"get": _get("This document", "Any")},
    }


def _infer(*, version: bool = False) -> dict[str, Any]:
    return _of_model("Predict rows", "Inferred", body="Inference", version=version)


def _get(summary: str, answer: str, *statuses: int) -> dict[str, Any]:
    answers = {status: _answer(summary, answer) for status in (200, *statuses)}
    return {"summary": summary, "responses": answers}


def _of_model(
    summary: str, answer: str, *, body: str = "", version: bool = False
) -> dict[str, Any]:
    answers = {200: _answer(summary, answer)}
    answers |= {status: _refused(status) for status in _REFUSALS}
    operation: dict[str, Any] = {
        "summary": summary,
        "parameters": [_NAME, _VERSION] if version else [_NAME],
        "responses": answers,
    }
    if body:
        schema = {"$ref": f"#/components/schemas/{body}"}
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return operation


def _answer(description: str, schema: str) -> dict[str, Any]:
    content = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return {"description": description, "content": {"application/json": content}}


def _refused(status: int) -> dict[str, Any]:
    return _answer(_REFUSALS[status], "Refusal")


def _text() -> dict[str, Any]:
    content = {"text/plain": {"schema": {"type": "string"}}}
    return {"description": "The metrics", "content": content}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - schemas
    return {"type": "object", "required": required, "properties": properties}


_TENSOR = _object(
    ["name", "shape", "datatype", "data"],
    name={"type": "string"},
    shape={"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2},
    datatype={"type": "string"},
    data={"type": "array", "items": _VALUE},
)
_ROWS = {"type": "array", "items": {"type": "object"}}
_SCHEMAS: dict[str, Any] = {
    "Any": {"type": "object"},
    "Flag": {"type": "object", "additionalProperties": {"type": "boolean"}},
    "Refusal": _object(["error", "reason"], error={"type": "string"}, reason={"type": "string"}),
    "Instances": _object(
        ["instances"],
        instances={
            "type": "array",
            "minItems": 1,
            "items": {"type": "object", "additionalProperties": _VALUE},
        },
    ),
    "Predictions": _object(
        ["predictions", "model_version", "as_of"],
        predictions=_ROWS,
        model_version={"type": "string"},
        as_of={"type": "string"},
    ),
    "Explanations": _object(
        ["explanations", "model_version", "as_of"],
        explanations=_ROWS,
        model_version={"type": "string"},
        as_of={"type": "string"},
    ),
    "Inference": _object(
        ["inputs"],
        id={"type": "string"},
        inputs={"type": "array", "minItems": 1, "items": _TENSOR},
        outputs={"type": "array", "items": _object(["name"], name={"type": "string"})},
    ),
    "Inferred": _object(
        ["model_name", "model_version", "outputs"],
        model_name={"type": "string"},
        model_version={"type": "string"},
        outputs={"type": "array", "items": {"type": "object"}},
    ),
}
