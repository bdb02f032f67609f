"""Import what the named stages need, and what calls them; fail the build where one is missing.

The program `serve` is named like a stage: servers need what no stage does, and no Kubeflow.
"""

import sys
from importlib import import_module

from tenantry.imports import uncollected

SERVER = (
    *("tenantry.serving.app", "tenantry.serving.server", "tenantry.cli.serve"),
    *("tenantry.serving.fitted", "tenantry.models.archive"),
    *("tenantry.store.minio", "tenantry.store.s3_versions"),
    *("tenantry.serving.log_table", "tenantry.serving.versions", "tenantry.erasure.suppression"),
)
TASKS = (
    *("kfp.dsl.executor_main", "tenantry.tasks"),
    *("tenantry.store.minio", "tenantry.store.s3_versions"),
)
ON_DEMAND = {
    "predict": ("tenantry.models.files",),
    "monitor": ("evidently.presets", "plotly.io"),
}

parts = sys.argv[1:]
needed = [] if parts == ["serve"] else [*TASKS]
for part in parts:
    needed += SERVER if part == "serve" else (f"tenantry.stages.{part}", *ON_DEMAND.get(part, ()))
with uncollected():  # as a task itself does
    for module in needed:
        import_module(module)
sys.stdout.write(f"imports of {' '.join(parts) or 'Kubeflow'} are sound\n")
