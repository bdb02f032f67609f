"""Start a run on a Kubeflow cluster, through its API."""

import tempfile
from pathlib import Path
from typing import Any

from pipelines.cluster import read_secret_names
from pipelines.compiling import compile_fleet
from pipelines.fleet import NAME
from tenantry.settings import load_settings

_NAMING = ("product", "region", "as_of")
"""Parameters that a run's name tells."""


def submit(parameters: dict[str, Any], host: str, experiment: str) -> str:
    """Compile the pipeline, start a run of it, and return the address of its page.

    Args:
        parameters: The pipeline's parameters.
        host: Address of the API.
        experiment: Experiment of the run.
    """
    from kfp import Client

    client = Client(host=host)
    with tempfile.TemporaryDirectory() as folder:
        spec, _ = compile_fleet(Path(folder), secrets=read_secret_names(load_settings()))
        run = client.create_run_from_pipeline_package(
            str(spec),
            arguments=parameters,
            run_name=" ".join(filter(None, (NAME, *map(parameters.get, _NAMING)))),
            experiment_name=experiment,
            enable_caching=False,
        )
    return f"{host.rstrip('/')}/#/runs/details/{run.run_id}"
