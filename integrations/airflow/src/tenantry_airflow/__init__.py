"""Airflow starts Tenantry's fleet pipeline on Kubeflow; needs only what Airflow ships."""
