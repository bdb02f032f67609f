"""Calls: what a path and a method ask for of which model."""

from typing import Literal, NamedTuple

from tenantry.serving.refusals import NO_PLACE, WRONG_METHOD

Verb = Literal["infer", "predict", "explain", "ready", "about", "status"]

V1, V2 = "/v1/models/", "/v2/models/"
_LONGEST = 200


class Call(NamedTuple):
    """What is asked for.

    Attributes:
        model: ``<product>.<tenant>``, as the client wrote it.
        version: The version it wants; empty for the one that reigns.
        verb: What it wants of the model.
        name: What the call is named in logs and metrics: one of a few.
    """

    model: str
    version: str
    verb: Verb
    name: str


UNREAD = Call("", "", "about", "other")
"""Of a request whose path says nothing."""


def read_call(path: str, method: str) -> Call:
    """Read a path below `V1` or `V2`.

    Raises:
        RefusedError: There is no such path, or it has no such method.
    """
    if len(path) > _LONGEST:
        raise NO_PLACE()
    call = _of_v2(path[len(V2) :]) if path.startswith(V2) else _of_v1(path[len(V1) :])
    wanted = "POST" if call.verb in ("infer", "predict", "explain") else "GET"
    if method != wanted:
        raise WRONG_METHOD()
    return call


def _of_v2(rest: str) -> Call:
    """Read ``<model>[/versions/<version>][/infer|/ready]``."""
    model, *parts = rest.split("/")
    version = ""
    if len(parts) >= 2 and parts[0] == "versions" and parts[1]:
        version, parts = parts[1], parts[2:]
    if parts == ["infer"]:
        return Call(model, version, "infer", "v2 infer")
    if parts == ["ready"]:
        return Call(model, version, "ready", "v2 ready")
    if not parts:
        return Call(model, version, "about", "v2 metadata")
    raise NO_PLACE()


def _of_v1(rest: str) -> Call:
    """Read ``<model>[:predict|:explain]``."""
    model, colon, verb = rest.partition(":")
    if "/" in rest:
        raise NO_PLACE()
    if verb == "predict":
        return Call(model, "", "predict", "v1 predict")
    if verb == "explain":
        return Call(model, "", "explain", "v1 explain")
    if not colon:
        return Call(model, "", "status", "v1 status")
    raise NO_PLACE()
