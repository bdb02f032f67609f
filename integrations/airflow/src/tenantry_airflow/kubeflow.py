"""Kubeflow Pipelines' API as far as an orchestrator needs it; every call but a run's start repeats.

KubeflowError             the API refused a request
└── KubeflowBusyError     it did not answer, or said that it is busy
"""

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

API = "/apis/v2beta1"
WELL = "SUCCEEDED"
CANCELED = "CANCELED"
ENDED = frozenset({WELL, "FAILED", CANCELED, "SKIPPED"})
_SECONDS = 30.0
_WAITS = (1.0, 4.0, 10.0)
_NEWEST_FIRST = "created_at desc"


class KubeflowError(Exception):
    """Kubeflow's API refused a request."""


class KubeflowBusyError(KubeflowError):
    """It did not answer, or said that it is busy; the same call may succeed later."""


@dataclass(frozen=True)
class Server:
    """An API server.

    Attributes:
        host: Its address, e.g. ``https://kubeflow.example/pipeline``.
        namespace: The namespace of runs; empty in single-user mode.
        token: Goes with each request; empty for none.
        token_file: Holds the token instead, read anew for each request; empty for none.
        ca_file: PEM file of the authorities that may have signed its certificate; empty: the
            system's.
    """

    host: str
    namespace: str = ""
    token: str = field(default="", repr=False)
    token_file: str = ""
    ca_file: str = ""

    def page(self, run_id: str) -> str:
        """Return the address of a run's page."""
        return f"{self.host}/#/runs/details/{run_id}"

    def headers(self) -> dict[str, str]:
        """Return what goes with each request."""
        token = self.token
        if self.token_file:
            token = Path(self.token_file).read_text(encoding="utf-8").strip()
        return {"authorization": f"Bearer {token}"} if token else {}

    def verification(self) -> ssl.SSLContext:
        """Return whose certificates are trusted."""
        return ssl.create_default_context(cafile=self.ca_file or None)


@dataclass(frozen=True)
class Run:
    """A run, as the API tells it.

    Attributes:
        run_id: Its id, in Kubeflow and in Tenantry's store.
        state: E.g. `RUNNING`; `PENDING` before the API knows.
        errors: What went wrong, in Kubeflow's words: of the run, then of its tasks.
    """

    run_id: str
    state: str
    errors: tuple[str, ...] = ()

    @property
    def has_ended(self) -> bool:
        """Whether it has come to its end."""
        return self.state in ENDED

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> Self:
        """Read a run from the API's answer."""
        tasks = (answer.get("run_details") or {}).get("task_details") or ()
        errors = [_message(answer, "")]
        errors += [_message(task, task.get("display_name") or "") for task in tasks]
        told = tuple(dict.fromkeys(filter(None, errors)))
        return cls(str(answer.get("run_id", "")), str(answer.get("state") or "PENDING"), told)


@dataclass(frozen=True)
class Order:
    """A run to start.

    Attributes:
        name: Its name; `Kubeflow.find_run` finds it again by it.
        pipeline: The pipeline's name.
        version: The version's name; empty: the newest.
        parameters: Of the pipeline.
        experiment: The experiment's name.
        account: The service account of its pods; empty: Kubeflow's default.
    """

    name: str
    pipeline: str
    version: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    experiment: str = "tenantry"
    account: str = ""


class Kubeflow:
    """A client of the API; to be closed, so use it in a `with` block."""

    def __init__(self, server: Server, waits: tuple[float, ...] = _WAITS) -> None:
        """Make a client.

        Args:
            server: The API server.
            waits: Seconds between the tries of a call that can be repeated.
        """
        self.server, self._waits = server, waits
        self._client = httpx.Client(verify=server.verification(), timeout=_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def run(self, run_id: str) -> Run:
        """Return a run."""
        return Run.from_answer(self._call("GET", f"/runs/{run_id}"))

    def find_run(self, name: str) -> Run | None:
        """Return the newest run of a name, or None."""
        query = {"filter": _named(name), "sort_by": _NEWEST_FIRST, "page_size": 1}
        found = self._call("GET", "/runs", self._spaced(query)).get("runs") or ()
        return Run.from_answer(found[0]) if found else None

    def start_run(self, order: Order) -> Run:
        """Start a run; not repeated, as nobody can say whether a call without an answer did it.

        Raises:
            KubeflowError: There is no such pipeline, version or experiment, or it is refused.
        """
        body: dict[str, Any] = {
            "display_name": order.name,
            "experiment_id": self._experiment(order.experiment),
            "pipeline_version_reference": self._version(order.pipeline, order.version),
            "runtime_config": {"parameters": dict(order.parameters)},
        }
        if order.account:
            body["service_account"] = order.account
        return Run.from_answer(self._call("POST", "/runs", body=body, waits=()))

    def cancel_run(self, run_id: str) -> None:
        """Cancel a run; nothing when it has ended."""
        try:
            self._call("POST", f"/runs/{run_id}:terminate")
        except KubeflowBusyError:
            raise
        except KubeflowError:
            if not self.run(run_id).has_ended:
                raise

    def _version(self, pipeline: str, version: str) -> dict[str, str]:
        query = self._spaced({"filter": _named(pipeline, "name"), "page_size": 1})
        found = self._call("GET", "/pipelines", query).get("pipelines") or ()
        if not found:
            remedy = "`python -m pipelines sync` uploads it"
            raise KubeflowError(f"{self.server.host}: there is no pipeline {pipeline!r}; {remedy}")
        pipeline_id = str(found[0]["pipeline_id"])
        query = {"sort_by": _NEWEST_FIRST, "page_size": 1}
        query |= {"filter": _named(version, "name")} if version else {}
        path = f"/pipelines/{pipeline_id}/versions"
        versions = self._call("GET", path, query).get("pipeline_versions") or ()
        if not versions:
            told = f"version {version!r}" if version else "version"
            raise KubeflowError(f"{self.server.host}: {pipeline!r} has no {told}")
        version_id = str(versions[0]["pipeline_version_id"])
        return {"pipeline_id": pipeline_id, "pipeline_version_id": version_id}

    def _experiment(self, name: str) -> str:
        query = self._spaced({"filter": _named(name), "page_size": 1})
        found = self._call("GET", "/experiments", query).get("experiments") or ()
        if found:
            return str(found[0]["experiment_id"])
        body = self._spaced({"display_name": name})
        return str(self._call("POST", "/experiments", body=body, waits=())["experiment_id"])

    def _spaced(self, fields: dict[str, Any]) -> dict[str, Any]:
        namespace = self.server.namespace
        return fields | ({"namespace": namespace} if namespace else {})

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        waits: tuple[float, ...] | None = None,
    ) -> dict[str, Any]:
        url = f"{self.server.host}{API}{path}"
        for wait in (*(self._waits if waits is None else waits), None):
            try:
                with told(self.server):
                    response = self._client.request(
                        method, url, params=query, json=body, headers=self.server.headers()
                    )
                    return read_answer(self.server, response)
            except KubeflowBusyError:
                if wait is None:
                    raise
                time.sleep(wait)
        raise AssertionError


def join_address(host: str, port: int | None, *, scheme: str, path: str = "") -> str:
    """Return an API's address of its parts; what the host itself says of scheme and port counts.

    Args:
        host: A host, or an address, which may have a path.
        port: Its port; None for the scheme's.
        scheme: `http` or `https`.
        path: Goes behind the host's own.
    """
    parts = urlsplit(host if "://" in host else f"{scheme}://{host}")
    place = parts.netloc if not port or parts.port else f"{parts.netloc}:{port}"
    return f"{parts.scheme}://{place}{parts.path.rstrip('/')}{path.rstrip('/')}"


@contextmanager
def told(server: Server) -> Iterator[None]:
    """Turn what the transport raises into our errors, which name the server."""
    try:
        yield
    except httpx.TransportError as error:
        raise KubeflowBusyError(f"{server.host}: no answer ({type(error).__name__})") from None


def read_answer(server: Server, response: httpx.Response) -> dict[str, Any]:
    """Return what the API answered.

    Raises:
        KubeflowBusyError: It is busy, or broken for now.
        KubeflowError: It refused the request.
    """
    if response.is_success:
        try:
            return dict(response.json()) if response.content else {}
        except ValueError:
            msg = f"{server.host}: answers with something else than JSON, perhaps a page to sign in"
            raise KubeflowError(msg) from None
    status = response.status_code
    busy = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS
    words = " ".join(response.text.split())[:300]
    kind = KubeflowBusyError if busy else KubeflowError
    request = response.request
    raise kind(f"{server.host}: {request.method} {request.url.path}: {status}: {words}")


def _named(name: str, key: str = "display_name") -> str:
    predicate = {"key": key, "operation": "EQUALS", "string_value": name}
    return json.dumps({"predicates": [predicate]})


def _message(answer: Mapping[str, Any], place: str) -> str:
    words = str((answer.get("error") or {}).get("message") or "").strip()
    return f"{place}: {words}" if place and words else words
