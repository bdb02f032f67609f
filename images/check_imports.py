"""Import what the named stages need, and what calls them; fail the build where one is missing."""

import sys
from importlib import import_module

from tenantry.imports import uncollected

ALWAYS = ("kfp.dsl.executor_main", "tenantry.tasks", "tenantry.store.minio")
ON_DEMAND = {"predict": ("shap",), "monitor": ("evidently.presets", "plotly.io")}

with uncollected():  # as the task itself does
    for module in ALWAYS:
        import_module(module)
    for stage in sys.argv[1:]:
        for module in (f"tenantry.stages.{stage}", *ON_DEMAND.get(stage, ())):
            import_module(module)
sys.stdout.write(f"imports of {' '.join(sys.argv[1:]) or 'Kubeflow'} are sound\n")
