"""The fleet pipeline: one for all tenants of a product."""

from typing import Any

from kfp import dsl
from kfp.dsl import PipelineTask
from kfp.dsl.base_component import BaseComponent

from components.build_features import build_features
from components.check_fleet import check_fleet
from components.ingest import ingest
from components.monitor import monitor
from components.plan import plan
from components.predict import predict
from components.promote import promote
from components.report import report
from components.train import train
from components.train_pooled import train_pooled
from pipelines.cluster import Resources, SecretNames, harden

NAME = "tenantry-fleet"
SLOT = dsl.PIPELINE_JOB_SCHEDULE_TIME_UTC_PLACEHOLDER
"""The time a run was scheduled for; the backend fills it in, `kfp.local` cannot."""

PARALLEL_SHARDS = 8
PRODUCT = "arrival-delay"
_NO_SECRETS = SecretNames()


def build_fleet(
    slot: str = SLOT, *, secrets: SecretNames = _NO_SECRETS, label: str = ""
) -> BaseComponent:
    """Build the pipeline.

    Args:
        slot: The time the run was scheduled for: the placeholder, or a literal for a local run.
        secrets: Which variables come from Secrets.
        label: The product of every run, for the pods' labels, which cannot depend on a parameter;
            the parameter's default, too. Empty: a run chooses, and no pod carries the label.
    """
    default = label or PRODUCT

    @dsl.pipeline(name=NAME, display_name="Tenantry: the fleet")
    def fleet(
        product: str = default,
        region: str = "",
        as_of: str = "",
        tenants: str = "",
        partition: str = "",
        size: str = "",
        max_shards: int = 32,
        force: bool = False,
        cpu_budget: float = 0.0,
        backfill_from: str = "",
        backfill_to: str = "",
        backfill_model: str = "then",
        max_failed_share: float = 0.1,
        cpu_request: str = "1",
        cpu_limit: str = "2",
        memory_request: str = "4Gi",
        memory_limit: str = "9Gi",
    ) -> None:
        """Train, check, promote, score, explain and watch a model for every tenant of a product.

        Args:
            product: The product, a folder of tenant_specs, e.g. arrival-delay.
            region: The home region that this run serves, one of tenant_specs/regions.yaml; empty
                without that file, or where it lists one only.
            as_of: Logical time of the run, e.g. 2013-10-01; nothing later is read. Empty: the time
                this run was scheduled for.
            tenants: Only these tenants, commas between, e.g. ua,dl. Empty: the whole fleet.
            partition: Part i of n of the fleet, e.g. 1/4: a big fleet is spread over several runs.
            size: Only tenants of this size class (`resources.size`), e.g. large: a schedule may
                start one run for each, with its own CPU and memory. Empty: all.
            max_shards: Iterations of the loop at most; a shard is one tenant, or many small ones.
            force: Train every tenant, even where its model is fresh.
            cpu_budget: CPU-seconds that the run may take, as estimated from earlier runs; tenants
                past it stay due for the next run, those promised first go first. 0: all it takes.
            backfill_from: Also predict windows of the past that begin then or later, whatever their
                age, e.g. 2013-01-01. Empty: none.
            backfill_to: Only those that begin before this. Empty: as_of.
            backfill_model: Who predicts them: then, the model that reigned when a window began, or
                current, today's champion (windows it has seen are named as in sample).
            max_failed_share: The run fails when a larger share of its tenants failed.
            cpu_request: CPU that each shard and the pooled model are promised, e.g. 500m or 2.
            cpu_limit: CPU that they may use; a shard has as many worker processes.
            memory_request: Memory that they are promised, e.g. 4Gi.
            memory_limit: Memory past which their pod is killed: workers × `resources.memory_mib`,
                and 1Gi.
        """
        run = dsl.PIPELINE_JOB_ID_PLACEHOLDER
        resources = Resources(cpu_request, cpu_limit, memory_request, memory_limit)

        def task(title: str, component: BaseComponent, **given: Any) -> PipelineTask:  # noqa: ANN401
            made = component(**given)
            made.set_display_name(title)
            made.set_caching_options(enable_caching=False)
            harden(made, component.name.replace("-", "_"), resources, secrets, label)
            return made

        reported = task("Report on the fleet", report, run=run, product=product, region=region)
        with dsl.ExitHandler(reported, name="fleet"):
            planned = task(
                "Plan what is due",
                plan,
                product=product,
                region=region,
                as_of=as_of,
                slot=slot,
                run=run,
                tenants=tenants,
                partition=partition,
                size=size,
                max_shards=max_shards,
                force=force,
                cpu_budget=cpu_budget,
                backfill_from=backfill_from,
                backfill_to=backfill_to,
                backfill_model=backfill_model,
            )
            plan_ledger = planned.outputs["plan_ledger"]
            pooled = task("Train the pooled model", train_pooled, plan_ledger=plan_ledger)
            with dsl.ParallelFor(
                planned.outputs["Output"], name="shards", parallelism=PARALLEL_SHARDS
            ) as shard:
                ingested = task(
                    "Ingest",
                    ingest,
                    plan_ledger=plan_ledger,
                    pooled=pooled.outputs["pooled"],
                    shard=shard,
                )
                built = task("Build features", build_features, ledger=ingested.outputs["ledger"])
                trained = task("Train", train, ledger=built.outputs["features"])
                promoted = task("Promote", promote, ledger=trained.outputs["challengers"])
                predicted = task("Predict", predict, ledger=promoted.outputs["champions"])
                monitored = task("Monitor", monitor, ledger=predicted.outputs["predictions"])
            task(
                "Check the fleet",
                check_fleet,
                ledgers=dsl.Collected(monitored.outputs["judgements"]),
                run=run,
                region=region,
                max_failed_share=max_failed_share,
            )

    return fleet
