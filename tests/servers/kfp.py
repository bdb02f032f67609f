"""A stand-in for Kubeflow Pipelines' API, and for Kubernetes' where pipelines are kept there.

It is built from the models of `kfp-server-api`: a request's body has to be one of them, without a
field that it does not have, and so is every answer. Names are unique, lists come in pages, and in
multi-user mode a request needs a namespace and a token.
"""

import json
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import kfp_server_api as api
import yaml

BASE = "/apis/v2beta1/"
CUSTOM = "/apis/pipelines.kubeflow.org/v2beta1/namespaces/"
_CLIENT = api.ApiClient()


class RefusedError(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class KfpState:
    """What a server holds, and how it behaves.

    Attributes:
        pipeline_store: `database` or `kubernetes`.
        namespace: Of the one tenant of multi-user mode; empty in single-user mode.
        token: What a request has to bear then.
        page_size: At most so many in a page.
        fail_after: After so many changes the server breaks down; None for never.
        run_state: State that every run comes to.
        run_seconds: How long it is RUNNING before.
        is_away: Whether it answers no question after a run.
        looks: How often somebody asked after one run.
        changes: Every change asked for: method and path.
    """

    pipeline_store: str = "database"
    namespace: str = ""
    token: str = ""
    page_size: int = 2
    fail_after: int | None = None
    run_state: str = "SUCCEEDED"
    run_seconds: float = 0.0
    is_away: bool = False
    looks: int = 0
    begun: dict[str, float] = field(default_factory=dict)
    pipelines: dict[str, api.V2beta1Pipeline] = field(default_factory=dict)
    versions: dict[str, api.V2beta1PipelineVersion] = field(default_factory=dict)
    experiments: dict[str, api.V2beta1Experiment] = field(default_factory=dict)
    recurring: dict[str, api.V2beta1RecurringRun] = field(default_factory=dict)
    runs: dict[str, api.V2beta1Run] = field(default_factory=dict)
    resources: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=threading.RLock)
    numbers: Any = field(default_factory=lambda: count(1))

    def identity(self, kind: str) -> str:
        return f"{kind}-{next(self.numbers):04d}"


@contextmanager
def kfp_running(state: KfpState, certificates: Path | None = None) -> Iterator[str]:
    """Serve on a free port of the loopback; yield the address.

    Args:
        state: What it holds.
        certificates: A folder that `make_certificates` filled: it speaks TLS. None: it does not.
    """

    class Handler(_Handler):
        held = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "public.crt", certificates / "private.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http{'s' if certificates else ''}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    held: KfpState
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        try:
            with self.held.lock:
                self._admit(method, url.path)
                answer = self._route(method, url.path, query, body)
            status, content = 200, json.dumps(answer).encode()
        except RefusedError as error:
            status, content = error.status, json.dumps({"message": str(error)}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _admit(self, method: str, path: str) -> None:
        state = self.held
        if path.startswith(CUSTOM):
            pass  # the cluster has credentials of its own
        elif state.token and self.headers.get("authorization") != f"Bearer {state.token}":
            raise RefusedError(401, "no token, or a wrong one")
        if method == "GET":
            return
        if state.fail_after is not None and len(state.changes) >= state.fail_after:
            raise RefusedError(400, "the server breaks down")
        state.changes.append(f"{method} {path}")

    def _route(self, method: str, path: str, query: dict[str, str], body: bytes) -> object:
        if path.startswith(CUSTOM):
            return self._resource(method, path.removeprefix(CUSTOM).split("/"), body)
        parts = path.removeprefix(BASE).split("/")
        name = f"{method.lower()}_{parts[0]}"
        if not path.startswith(BASE) or not hasattr(self, name):
            raise RefusedError(404, f"{method} {path}")
        return getattr(self, name)(parts[1:], query, body)

    # --- pipelines --------------------------------------------------------------------------------

    def get_healthz(self, *_: object) -> object:
        return _plain(
            api.V2beta1GetHealthzResponse(
                multi_user=bool(self.held.namespace), pipeline_store=self.held.pipeline_store
            )
        )

    def get_pipelines(self, parts: list[str], query: dict[str, str], _: bytes) -> object:
        if not parts:
            self._check_namespace(query)
            found = _asked(self.held.pipelines.values(), query)
            return self._page(found, query, api.V2beta1ListPipelinesResponse, "pipelines")
        self._one(self.held.pipelines, parts[0])
        versions = self.held.versions.values()
        found = _asked([one for one in versions if one.pipeline_id == parts[0]], query)
        return self._page(
            found, query, api.V2beta1ListPipelineVersionsResponse, "pipeline_versions"
        )

    def post_pipelines(self, parts: list[str], query: dict[str, str], body: bytes) -> object:
        if parts == ["upload_version"]:
            return self._upload(query, body)
        pipeline = _read(body, api.V2beta1Pipeline)
        self._check_namespace({"namespace": pipeline.namespace or ""})
        if any(one.name == pipeline.name for one in self.held.pipelines.values()):
            raise RefusedError(409, f"pipeline {pipeline.name} exists")
        pipeline.pipeline_id, pipeline.created_at = self.held.identity("pipeline"), _now()
        self.held.pipelines[pipeline.pipeline_id] = pipeline
        return _plain(pipeline)

    def _upload(self, query: dict[str, str], body: bytes) -> object:
        pipeline = self._one(self.held.pipelines, query["pipelineid"])
        name = query["name"]
        spec = next(yaml.safe_load_all(_uploaded(self.headers, body)))
        if "pipelineInfo" not in spec:
            raise RefusedError(400, "this is no compiled pipeline")
        held = self.held.versions.values()
        if any((one.pipeline_id, one.name) == (pipeline.pipeline_id, name) for one in held):
            raise RefusedError(409, f"version {name} exists")
        version = api.V2beta1PipelineVersion(
            pipeline_id=pipeline.pipeline_id,
            pipeline_version_id=self.held.identity("version"),
            name=name,
            display_name=query.get("display_name", name),
            created_at=_now(),
        )
        self.held.versions[version.pipeline_version_id] = version
        return _plain(version)

    # --- experiments and recurring runs -----------------------------------------------------------

    def get_experiments(self, _: list[str], query: dict[str, str], __: bytes) -> object:
        self._check_namespace(query)
        found = _asked(self.held.experiments.values(), query)
        return self._page(found, query, api.V2beta1ListExperimentsResponse, "experiments")

    def post_experiments(self, _: list[str], __: dict[str, str], body: bytes) -> object:
        experiment = _read(body, api.V2beta1Experiment)
        self._check_namespace({"namespace": experiment.namespace or ""})
        name = experiment.display_name
        if any(one.display_name == name for one in self.held.experiments.values()):
            raise RefusedError(409, f"experiment {name} exists")
        experiment.experiment_id = self.held.identity("experiment")
        self.held.experiments[experiment.experiment_id] = experiment
        return _plain(experiment)

    def get_recurringruns(self, _: list[str], query: dict[str, str], __: bytes) -> object:
        self._check_namespace(query)
        found = list(self.held.recurring.values())
        return self._page(found, query, api.V2beta1ListRecurringRunsResponse, "recurring_runs")

    def post_recurringruns(self, parts: list[str], _: dict[str, str], body: bytes) -> object:
        status = api.V2beta1RecurringRunStatus
        if parts:
            run_id, _, verb = parts[0].partition(":")
            run = self._one(self.held.recurring, run_id)
            run.status = {"enable": status.ENABLED, "disable": status.DISABLED}[verb]
            return {}
        run = _read(body, api.V2beta1RecurringRun)
        self._check_namespace({"namespace": run.namespace or ""})
        self._one(self.held.experiments, run.experiment_id)
        self._one(self.held.versions, run.pipeline_version_reference.pipeline_version_id)
        if len(run.trigger.cron_schedule.cron.split()) != 6:
            raise RefusedError(400, "a cron has six fields here")
        run.recurring_run_id, run.created_at = self.held.identity("recurring"), _now()
        run.status = status.ENABLED if run.mode == "ENABLE" else status.DISABLED
        self.held.recurring[run.recurring_run_id] = run
        return _plain(run)

    def delete_recurringruns(self, parts: list[str], *_: object) -> object:
        self._one(self.held.recurring, parts[0])
        del self.held.recurring[parts[0]]
        return {}

    def post_runs(self, parts: list[str], _: dict[str, str], body: bytes) -> object:
        if parts:
            return self._terminate(parts[0])
        run = _read(body, api.V2beta1Run)
        self._one(self.held.experiments, run.experiment_id)
        if reference := run.pipeline_version_reference:
            version = self._one(self.held.versions, reference.pipeline_version_id)
            assert version.pipeline_id == reference.pipeline_id
        elif "pipelineInfo" not in (run.pipeline_spec or {}).get(
            "pipeline_spec", run.pipeline_spec
        ):
            raise RefusedError(400, "this is no compiled pipeline")
        run.run_id, run.created_at = self.held.identity("run"), _now()
        self.held.runs[run.run_id], self.held.begun[run.run_id] = run, time.monotonic()
        return _plain(self._moved(run))

    def get_runs(self, parts: list[str], query: dict[str, str], _: bytes) -> object:
        if self.held.is_away:
            raise RefusedError(503, "no database")
        if parts:
            self.held.looks += 1
            return _plain(self._moved(self._one(self.held.runs, parts[0])))
        self._check_namespace(query)
        found = _asked(map(self._moved, self.held.runs.values()), query)
        return self._page(found, query, api.V2beta1ListRunsResponse, "runs")

    def _terminate(self, call: str) -> object:
        run_id, _, verb = call.partition(":")
        run = self._moved(self._one(self.held.runs, run_id))
        if verb != "terminate":
            raise RefusedError(404, verb)
        if run.state != "RUNNING":
            raise RefusedError(400, f"{run_id} has ended")
        run.state = "CANCELED"
        return {}

    def _moved(self, run: Any) -> Any:
        """Return a run as it is by now."""
        begun = self.held.begun.get(run.run_id)
        if begun is not None and run.state in (None, "RUNNING"):
            lasted = time.monotonic() - begun
            run.state = self.held.run_state if lasted >= self.held.run_seconds else "RUNNING"
        return run

    # --- the Kubernetes API -----------------------------------------------------------------------

    def _resource(self, method: str, parts: list[str], body: bytes) -> object:
        namespace, plural, *name = parts
        if method == "GET":
            found = self.held.resources.get((plural, name[0]))
            if found is None:
                raise RefusedError(404, f"{plural} {name[0]} not found")
            return found
        resource = json.loads(body)
        key = plural, resource["metadata"]["name"]
        if resource["metadata"]["namespace"] != namespace:
            raise RefusedError(400, "the namespace is another one")
        if key in self.held.resources:
            raise RefusedError(409, f"{key} exists")
        self.held.resources[key] = resource
        self._show(resource)
        return resource

    def _show(self, resource: dict[str, Any]) -> None:
        """Let the API show a resource, as Kubeflow does in this mode."""
        name, spec = resource["metadata"]["name"], resource["spec"]
        if resource["kind"] == "Pipeline":
            pipeline = api.V2beta1Pipeline(
                pipeline_id=self.held.identity("pipeline"), name=name, created_at=_now()
            )
            self.held.pipelines[pipeline.pipeline_id] = pipeline
            return
        owner = next(
            one for one in self.held.pipelines.values() if one.name == spec["pipelineName"]
        )
        version = api.V2beta1PipelineVersion(
            pipeline_id=owner.pipeline_id,
            pipeline_version_id=self.held.identity("version"),
            name=name,
            created_at=_now(),
        )
        self.held.versions[version.pipeline_version_id] = version

    # --- what all have in common ------------------------------------------------------------------

    def _check_namespace(self, query: dict[str, str]) -> None:
        if query.get("namespace", "") != self.held.namespace:
            raise RefusedError(403, f"namespace {query.get('namespace')!r} is not yours")

    def _one(self, held: dict[str, Any], identity: str) -> Any:
        if identity not in held:
            raise RefusedError(404, f"{identity} not found")
        return held[identity]

    def _page(self, found: list[Any], query: dict[str, str], kind: Any, name: str) -> object:
        first = int(query.get("page_token") or 0)
        last = first + min(int(query.get("page_size", 10)), self.held.page_size)
        more = str(last) if last < len(found) else ""
        return _plain(kind(next_page_token=more, **{name: found[first:last]}))


def _read(body: bytes, kind: type) -> Any:
    """Return a body as a model; a field that the model does not have is refused."""
    given = json.loads(body)
    model = _CLIENT.deserialize(SimpleNamespace(data=body.decode()), kind.__name__)
    if unknown := set(given) - set(kind.attribute_map.values()):
        raise RefusedError(400, f"{kind.__name__} has no {unknown}")
    return model


def _asked(found: Iterable[Any], query: dict[str, str]) -> list[Any]:
    """Heed a filter by equality, and the one order that anybody asks for."""
    predicates = json.loads(query.get("filter") or "{}").get("predicates", ())
    kept = list(found)
    for one in predicates:
        assert one["operation"] in ("EQUALS", 1)
        wanted = one.get("string_value") or one.get("stringValue")
        kept = [held for held in kept if getattr(held, one["key"]) == wanted]
    if query.get("sort_by"):
        assert query["sort_by"] == "created_at desc"
        kept.sort(key=lambda held: held.created_at, reverse=True)
    return kept


def _plain(model: object) -> object:
    return _CLIENT.sanitize_for_serialization(model)


def _uploaded(headers: Any, body: bytes) -> bytes:
    whole = b"content-type: " + headers["content-type"].encode() + b"\r\n\r\n" + body
    (part,) = message_from_bytes(whole).get_payload()
    return bytes(part.get_payload(decode=True))


def _now() -> datetime:
    return datetime.now(UTC)
