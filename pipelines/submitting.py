"""Start a run on a Kubeflow cluster, through its API."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.cluster import read_secret_names
from pipelines.compiling import compile_fleet
from pipelines.fleet import NAME
from pipelines.kubeflow import ACCOUNT, Kubeflow
from tenantry.settings import load_settings

_NAMING = ("product", "region", "as_of")
"""Parameters that a run's name tells."""


@dataclass(frozen=True)
class Submitted:
    """A run that was started.

    Attributes:
        run_id: Its id, in Kubeflow and in the store.
        page: The address of its page.
    """

    run_id: str
    page: str


def submit(
    parameters: dict[str, Any], kubeflow: Kubeflow, experiment: str, account: str = ACCOUNT
) -> Submitted:
    """Compile the pipeline and start a run of it.

    Args:
        parameters: The pipeline's parameters.
        kubeflow: The API.
        experiment: Experiment of the run.
        account: The service account of its pods; empty: Kubeflow's default.
    """
    kubeflow.create_experiment(experiment)
    with tempfile.TemporaryDirectory() as folder:
        spec, _ = compile_fleet(Path(folder), secrets=read_secret_names(load_settings()))
        name = " ".join(filter(None, (NAME, *map(parameters.get, _NAMING))))
        run_id = kubeflow.create_run(name, spec, parameters, experiment, account)
    return Submitted(run_id, f"{kubeflow.page}/runs/details/{run_id}")
