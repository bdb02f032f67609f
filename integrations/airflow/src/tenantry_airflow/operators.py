"""Start a run of the fleet pipeline on Kubeflow, wait for it, and end as it does."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from airflow.sdk import BaseOperator, BaseOperatorLink, ObjectStoragePath
from airflow.sdk.bases.xcom import BaseXCom
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from tenantry_airflow.connections import read_server
from tenantry_airflow.kubeflow import CANCELED, WELL, Kubeflow, Order, Run
from tenantry_airflow.runs import Identity, explain, format_moment, is_ours_to_join, name_run
from tenantry_airflow.triggers import FleetRunTrigger

_SUMMARY = 4_000
"""Characters of the fleet's summary that an error tells."""


class KubeflowLink(BaseOperatorLink):
    """The run's page in Kubeflow, from the moment it was started."""

    name = "Kubeflow run"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:  # noqa: ANN401, ARG002
        """Return the address of the run's page; empty before there is one."""
        return BaseXCom.get_value(ti_key=ti_key, key=self.xcom_key) or ""


class FleetRunOperator(BaseOperator):
    """Starts the fleet pipeline as of the run's logical date, and waits for it in the triggerer.

    A retry joins the run that an earlier try started, as long as that goes on or went well. Who
    kills the task (marks it, or clears it) cancels the run; a cleared task starts another one.
    What it returns: `run_id`, `as_of` and `page`.
    """

    template_fields: Sequence[str] = (
        "product",
        "as_of",
        "parameters",
        "version",
        "store",
        "conn_id",
    )
    operator_extra_links: ClassVar = (KubeflowLink(),)
    ui_color = "#e6f0ff"

    def __init__(
        self,
        *,
        product: str,
        as_of: str = "",
        parameters: Mapping[str, Any] | None = None,
        pipeline: str = "tenantry-fleet",
        version: str = "",
        experiment: str = "tenantry",
        account: str = "tenantry-runner",
        store: str = "",
        conn_id: str = "kubeflow_default",
        poll_interval: timedelta = timedelta(seconds=10),
        run_timeout: timedelta | None = None,
        patience: timedelta = timedelta(minutes=15),
        **rest: Any,  # noqa: ANN401 - Airflow's own
    ) -> None:
        """Describe the run.

        Args:
            product: The product.
            as_of: Logical time of the run, a template; empty: the logical date, or, of a manual
                run without one, the moment after which Airflow may run it (`run_after`).
            parameters: Further parameters of the pipeline.
            pipeline: The pipeline's name in Kubeflow.
            version: The version's name; empty: the newest, which the last sync uploaded.
            experiment: The experiment's name; it is made where it is missing.
            account: The service account of the pods; empty: Kubeflow's default.
            store: Tenantry's store as `ObjectStoragePath` takes it; the error of a run that failed
                then tells the fleet's own summary. Empty: what Kubeflow says.
            conn_id: The connection to Kubeflow.
            poll_interval: Between two looks at the run.
            run_timeout: A run that takes longer is cancelled; None: as long as it takes.
            patience: How long Kubeflow may be away before the task fails; a retry joins the run.
            rest: Of every operator.
        """
        super().__init__(**rest)
        self.product, self.as_of, self.parameters = product, as_of, dict(parameters or {})
        self.pipeline, self.version, self.experiment = pipeline, version, experiment
        self.account, self.store, self.conn_id = account, store, conn_id
        self.poll_interval, self.run_timeout, self.patience = poll_interval, run_timeout, patience
        self._started = ""

    def execute(self, context: Any) -> dict[str, str]:  # noqa: ANN401
        """Start the run, or join it, and wait."""
        as_of = self.as_of or format_moment(_logical_time(context))
        parameters = {**self.parameters, "product": self.product, "as_of": as_of}
        name = name_run(self.pipeline, parameters, self._identity(context["ti"]))
        order = Order(name, self.pipeline, self.version, parameters, self.experiment, self.account)
        with Kubeflow(read_server(self.conn_id)) as kubeflow:
            run = self._start_or_join(kubeflow, order)
            self._started, page = run.run_id, kubeflow.server.page(run.run_id)
        context["ti"].xcom_push(key=self.operator_extra_links[0].xcom_key, value=page)
        told = {"run_id": run.run_id, "as_of": as_of, "page": page}
        if run.has_ended:
            return self.finish(context, {"outcome": "ended"}, told)
        seconds = self.run_timeout.total_seconds() if self.run_timeout else 0.0
        trigger = FleetRunTrigger(
            self.conn_id,
            run.run_id,
            self.poll_interval.total_seconds(),
            time.time() + seconds if seconds else 0.0,
            self.patience.total_seconds(),
        )
        self.defer(trigger=trigger, method_name="finish", kwargs={"told": told})
        raise AssertionError  # it never returns

    def finish(
        self,
        context: Any,  # noqa: ANN401, ARG002 - what Airflow calls it with
        event: Mapping[str, str],
        told: dict[str, str],
    ) -> dict[str, str]:
        """End as the run did.

        Raises:
            AirflowFailException: Somebody cancelled the run, or its time was up; not tried again.
            AirflowException: It failed, or Kubeflow is away.
        """
        self._started = told["run_id"]
        if event["outcome"] == "away":
            raise AirflowException(f"{told['page']}: nobody can say: {event['message']}")
        with Kubeflow(read_server(self.conn_id)) as kubeflow:
            if event["outcome"] == "late":
                kubeflow.cancel_run(self._started)
                msg = f"{told['page']}: cancelled after {self.run_timeout} (run_timeout)"
                raise AirflowFailException(msg)
            run = kubeflow.run(self._started)
            if run.state == WELL:
                return told
            message = explain(run, kubeflow.server, self._summary(run))
        raise (AirflowFailException if run.state == CANCELED else AirflowException)(message)

    def on_kill(self) -> None:
        """Cancel the run: the task is killed before it waits, or after."""
        if self._started:
            with Kubeflow(read_server(self.conn_id)) as kubeflow:
                kubeflow.cancel_run(self._started)

    def _start_or_join(self, kubeflow: Kubeflow, order: Order) -> Run:
        found = kubeflow.find_run(order.name)
        if found is not None and is_ours_to_join(found):
            self.log.info("Joined %s (%s)", kubeflow.server.page(found.run_id), found.state)
            return found
        started = kubeflow.start_run(order)
        self.log.info("Started %s as %r", kubeflow.server.page(started.run_id), order.name)
        return started

    def _identity(self, task: Any) -> Identity:  # noqa: ANN401 - Airflow's task instance
        cleared = max(task.max_tries - self.retries, 0)
        return Identity(task.dag_id, task.run_id, task.task_id, task.map_index, cleared)

    def _summary(self, run: Run) -> str:
        """Return what the fleet's report says of the run; empty when there is none to read."""
        if not self.store:
            return ""
        path = ObjectStoragePath(self.store) / "runs" / run.run_id / "report.md"
        try:
            return str(path.read_text(encoding="utf-8"))[:_SUMMARY]
        except Exception as error:
            self.log.warning("%s: cannot be read (%s)", path, type(error).__name__)
            return ""


def _logical_time(context: Any) -> Any:  # noqa: ANN401
    return context.get("logical_date") or context["dag_run"].run_after
