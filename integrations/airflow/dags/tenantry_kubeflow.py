"""Airflow starts the fleet pipeline on Kubeflow, a run a day; docs/airflow.md."""

from datetime import datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable

from tenantry_airflow.operators import FleetRunOperator

with DAG(
    dag_id="tenantry_kubeflow",
    description="The fleet of a product, on Kubeflow.",
    schedule=CronTriggerTimetable("0 5 * * *", timezone="UTC"),
    start_date=datetime(2013, 1, 1),
    catchup=False,  # a run does what missed ones left due
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
):
    FleetRunOperator(
        task_id="run_the_fleet",
        product="arrival-delay",
        parameters={"max_shards": 16},
        run_timeout=timedelta(hours=12),
    )
