"""The fleet without Kubeflow: the same stages, a mapped group a shard; docs/airflow.md.

The stages run in Tenantry's own environment, whose pins Airflow's cannot hold: TENANTRY_PYTHON
names its interpreter. What they hand to each other lies in the store; XCom holds names.
"""

import json
import os
from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, CronTriggerTimetable, task, task_group

PRODUCT = os.environ.get("TENANTRY_PRODUCT", "arrival-delay")
MAX_SHARDS = os.environ.get("TENANTRY_MAX_SHARDS", "8")
MAX_FAILED_SHARE = os.environ.get("TENANTRY_MAX_FAILED_SHARE", "0.1")
STAGES = ("ingest", "build_features", "train", "promote", "predict", "monitor")
TENANTRY = '"${TENANTRY_PYTHON:-python3}" -m tenantry stage'


def stage(
    task_id: str, arguments: str, /, *, env: dict[str, object], **rest: object
) -> BashOperator:
    """Return a task that runs one stage; what it prints last becomes its XCom."""
    return BashOperator(
        task_id=task_id,
        bash_command=f"exec {TENANTRY} {arguments}",
        env=env,
        append_env=True,
        **{"output_processor": json.loads, **rest},
    )


with DAG(
    dag_id="tenantry_stages",
    description="The fleet of a product, stage by stage.",
    schedule=CronTriggerTimetable("0 5 * * *", timezone="UTC"),
    start_date=datetime(2013, 1, 1),
    catchup=False,  # a run does what missed ones left due
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=1)},
):

    @task
    def name_run(ti=None):
        """Name Tenantry's run; clear this task with all behind it, and a new one is planned."""
        return f"airflow-{ti.id}"

    run = {"RUN": "{{ ti.xcom_pull('name_run') }}"}
    planned = stage(
        "plan",
        f'plan {PRODUCT} --run "$RUN" --as-of "$AS_OF" --max-shards {MAX_SHARDS}',
        env={**run, "AS_OF": "{{ (logical_date or dag_run.run_after).isoformat() }}"},
        output_processor=lambda line: json.loads(line)["shards"],
    )
    pooled = stage("train_pooled", 'train-pooled --run "$RUN"', env=run)

    @task_group
    def shards(shard):
        """Take one shard through its stages."""
        previous = None
        for name in STAGES:
            current = stage(
                name,
                f'run {name} --run "$RUN" --shard "$SHARD"',
                env={**run, "SHARD": shard},
                max_active_tis_per_dagrun=8,
            )
            if previous is not None:
                previous >> current
            previous = current

    mapped = shards.expand(shard=planned.output)
    checked = stage(
        "check_fleet",
        f'check --run "$RUN" --max-failed-share {MAX_FAILED_SHARE}',
        env=run,
        trigger_rule="none_failed",  # a run without work has no shard
        retries=0,
    )
    reported = stage(
        "report",
        f'report {PRODUCT} --run "$RUN" --status "$STATUS"',
        env={**run, "STATUS": "{{ 'SUCCEEDED' if ti.xcom_pull('check_fleet') else 'FAILED' }}"},
        trigger_rule="all_done",
    )
    name_run() >> planned >> pooled >> mapped >> checked >> reported
    # The report runs however the run went, and says nothing of how it went: check_fleet decides.
    reported.as_teardown()
