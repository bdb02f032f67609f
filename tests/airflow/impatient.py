"""The operator with short waits; a DAG of the tests."""

import os
from datetime import datetime, timedelta

from airflow.sdk import DAG

from tenantry_airflow.operators import FleetRunOperator

with DAG(dag_id="impatient", schedule=None, start_date=datetime(2013, 1, 1), catchup=False):
    FleetRunOperator(
        task_id="run_the_fleet",
        product="arrival-delay",
        store=os.environ["TENANTRY_STORE_FOR_SUMMARIES"],
        poll_interval=timedelta(seconds=0.2),
        patience=timedelta(seconds=1),
        retries=2,
        retry_delay=timedelta(seconds=0),
    )
