"""Kubeflow Pipelines' API as far as we need it; every call but a run's start can be repeated."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar, cast

import kfp_server_api as api
import yaml
from kfp_server_api.exceptions import ApiException
from urllib3.exceptions import HTTPError

from tenantry.errors import TenantryError
from tenantry.transient import retry_transient

TOKEN_VARIABLE = "KF_PIPELINES_SA_TOKEN_PATH"  # noqa: S105 - a variable's name
CA_VARIABLE = "KFP_CA_FILE"
TOKEN_FILE = Path("/var/run/secrets/kubeflow/pipelines/token")
ACCOUNT = "tenantry-runner"
"""The service account of runs, as manifests/base makes it."""
_PAGE = 100
_SECONDS = 60
T = TypeVar("T")


class KubeflowError(TenantryError):
    """Kubeflow's API refused a request, or did not answer."""


class KubeflowBusyError(KubeflowError):
    """It did not answer, or said that it is busy."""

    transient = True


@dataclass(frozen=True)
class Kubeflow:
    """An API server.

    Attributes:
        host: Its address.
        namespace: The namespace of all that is ours; empty in single-user mode.
        token_file: Holds the token of a service account, read anew for each request, or None.
        ca_file: PEM file of the authorities that may have signed its certificate; empty: the
            system's.
    """

    host: str
    namespace: str = ""
    token_file: Path | None = None
    ca_file: str = ""

    @classmethod
    def from_environment(cls, host: str, namespace: str) -> "Kubeflow":
        """Return the API at `host`; the token is where Kubeflow mounts it, if it is there.

        Raises:
            KubeflowError: The file of authorities is missing.
        """
        token = Path(os.environ.get(TOKEN_VARIABLE, TOKEN_FILE))
        ca_file = os.environ.get(CA_VARIABLE, "")
        if ca_file and not Path(ca_file).is_file():
            raise KubeflowError(f"{CA_VARIABLE}: {ca_file}: there is no such file")
        return cls(host.rstrip("/"), namespace, token if token.is_file() else None, ca_file)

    @property
    def page(self) -> str:
        """The address of the UI, with a place for what comes behind ``#``."""
        return f"{self.host}/#"

    # --- pipelines --------------------------------------------------------------------------------

    def pipeline_store(self) -> str:
        """Return where pipelines are kept: `database` or `kubernetes`."""
        health = self._call(api.HealthzServiceApi(self._client).healthz_service_get_healthz)
        return str(getattr(health, "pipeline_store", None) or "database")

    def find_pipeline(self, name: str) -> api.V2beta1Pipeline | None:
        """Return the pipeline of a name, or None."""
        found = self._pages(
            api.PipelineServiceApi(self._client).pipeline_service_list_pipelines, "pipelines"
        )
        return next((one for one in found if name in (one.name, one.display_name)), None)

    def create_pipeline(self, name: str, title: str, description: str) -> None:
        """Make a pipeline without versions; nothing when somebody has just made it."""
        body = api.V2beta1Pipeline(
            name=name,
            display_name=title,
            description=description,
            namespace=self.namespace or None,
        )
        self._create(api.PipelineServiceApi(self._client).pipeline_service_create_pipeline, body)

    def find_version(self, pipeline_id: str, name: str) -> api.V2beta1PipelineVersion | None:
        """Return the version of a name, or None."""
        found = self._pages(
            api.PipelineServiceApi(self._client).pipeline_service_list_pipeline_versions,
            "pipeline_versions",
            pipeline_id,
            has_namespace=False,
        )
        return next((one for one in found if name in (one.name, one.display_name)), None)

    def upload_version(self, pipeline_id: str, name: str, spec: Path) -> None:
        """Upload a compiled spec as a version; nothing when somebody has just done so."""
        upload = api.PipelineUploadServiceApi(self._client).upload_pipeline_version
        self._create(upload, str(spec), name=name, display_name=name, pipelineid=pipeline_id)

    # --- experiments and recurring runs -----------------------------------------------------------

    def experiment_id(self, name: str) -> str | None:
        """Return the id of an experiment, or None."""
        found = self._pages(
            api.ExperimentServiceApi(self._client).experiment_service_list_experiments,
            "experiments",
        )
        return next((str(one.experiment_id) for one in found if one.display_name == name), None)

    def create_experiment(self, name: str) -> None:
        """Make an experiment; nothing when somebody has just made it."""
        body = api.V2beta1Experiment(display_name=name, namespace=self.namespace or None)
        self._create(
            api.ExperimentServiceApi(self._client).experiment_service_create_experiment, body
        )

    def recurring_runs(self) -> Iterator[api.V2beta1RecurringRun]:
        """Yield all recurring runs of the namespace, whoever made them."""
        listing = api.RecurringRunServiceApi(self._client).recurring_run_service_list_recurring_runs
        return self._pages(listing, "recurring_runs")

    def create_recurring_run(self, body: api.V2beta1RecurringRun) -> None:
        """Make a recurring run."""
        body.namespace = self.namespace or None
        recurring = api.RecurringRunServiceApi(self._client)
        self._call(recurring.recurring_run_service_create_recurring_run, body)

    def switch_recurring_run(self, run_id: str, *, on: bool) -> None:
        """Enable or disable a recurring run; nothing when it is gone."""
        runs = api.RecurringRunServiceApi(self._client)
        enable = runs.recurring_run_service_enable_recurring_run
        disable = runs.recurring_run_service_disable_recurring_run
        self._unless_gone(enable if on else disable, run_id)

    def delete_recurring_run(self, run_id: str) -> None:
        """Delete a recurring run; nothing when it is gone."""
        delete = api.RecurringRunServiceApi(self._client).recurring_run_service_delete_recurring_run
        self._unless_gone(delete, run_id)

    # --- runs -------------------------------------------------------------------------------------

    def create_run(
        self, name: str, spec: Path, parameters: dict[str, Any], experiment: str, account: str = ""
    ) -> str:
        """Start a run of a compiled spec, which is no pipeline's version; return its id.

        Args:
            name: Its name.
            spec: The compiled spec.
            parameters: Of the pipeline.
            experiment: Name of its experiment.
            account: The service account of its pods; empty: Kubeflow's default.
        """
        pipeline, *platform = yaml.safe_load_all(spec.read_text(encoding="utf-8"))
        whole = {"pipeline_spec": pipeline, "platform_spec": platform[0]} if platform else pipeline
        body = api.V2beta1Run(
            display_name=name,
            experiment_id=self.experiment_id(experiment),
            pipeline_spec=whole,
            runtime_config=api.V2beta1RuntimeConfig(parameters=parameters),
            service_account=account or None,
        )
        create = api.RunServiceApi(self._client).run_service_create_run
        return str(getattr(self._call(create, body, is_repeated=False), "run_id", ""))

    def run(self, run_id: str) -> api.V2beta1Run:
        """Return a run."""
        return cast(
            "api.V2beta1Run",
            self._call(api.RunServiceApi(self._client).run_service_get_run, run_id),
        )

    # --- requests ---------------------------------------------------------------------------------

    @cached_property
    def _client(self) -> api.ApiClient:
        configuration = api.Configuration(host=self.host)
        configuration.ssl_ca_cert = self.ca_file or None
        if self.token_file:
            configuration.api_key_prefix["authorization"] = "Bearer"
            self._read_token(configuration)
            configuration.refresh_api_key_hook = self._read_token
        return api.ApiClient(configuration)

    def _read_token(self, configuration: api.Configuration) -> None:
        assert self.token_file  # noqa: S101 - else it is not called
        token = self.token_file.read_text(encoding="utf-8").strip()
        configuration.api_key["authorization"] = token

    def _pages(
        self, call: Callable[..., Any], field: str, *arguments: str, has_namespace: bool = True
    ) -> Iterator[Any]:
        token = ""
        more: dict[str, Any] = {}
        if self.namespace and has_namespace:
            more["namespace"] = self.namespace
        while True:
            answer = self._call(call, *arguments, page_size=_PAGE, page_token=token, **more)
            yield from getattr(answer, field) or ()
            token = getattr(answer, "next_page_token", None) or ""
            if not token:
                return

    def _create(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        self._call(call, *arguments, allowed=HTTPStatus.CONFLICT, **named)

    def _unless_gone(self, call: Callable[..., Any], run_id: str) -> None:
        self._call(call, run_id, allowed=HTTPStatus.NOT_FOUND)

    def _call(
        self,
        call: Callable[..., T],
        *arguments: Any,  # noqa: ANN401 - the API's own
        allowed: int = 0,
        is_repeated: bool = True,
        **named: Any,  # noqa: ANN401
    ) -> T | None:
        def tried() -> T | None:
            try:
                return call(*arguments, _request_timeout=_SECONDS, **named)
            except ApiException as error:
                if error.status == allowed:
                    return None
                raise self._fault(call, error) from None
            except HTTPError as error:
                msg = f"{self.host}: {call.__name__}: no answer ({type(error).__name__})"
                raise KubeflowBusyError(msg) from None

        return retry_transient()(tried) if is_repeated else tried()

    def _fault(self, call: Callable[..., T], error: ApiException) -> KubeflowError:
        busy = error.status >= 500 or error.status == HTTPStatus.TOO_MANY_REQUESTS
        kind = KubeflowBusyError if busy else KubeflowError
        words = " ".join(str(error.body or error.reason).split())[:300]
        return kind(f"{self.host}: {call.__name__}: {error.status}: {words}")
