"""A real Airflow in an environment of its own, outside the tree, since its pins exclude ours."""
