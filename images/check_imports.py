"""Import what the named stages need, and what Kubeflow needs to call them; fails the build if not."""

import sys
from importlib import import_module

ALWAYS = ("kfp.dsl.executor_main", "tenantry.tasks", "tenantry.store.minio")
ON_DEMAND = {
    "predict": ("shap",),
    "monitor": ("tenantry.monitoring.evidently", "evidently.presets"),
}

for stage in sys.argv[1:]:
    for module in (f"tenantry.stages.{stage}", *ON_DEMAND.get(stage, ())):
        import_module(module)
for module in ALWAYS:
    import_module(module)
sys.stdout.write(f"imports of {' '.join(sys.argv[1:]) or 'Kubeflow'} are sound\n")
