"""A real Airflow in an environment of its own, outside the tree: its pins and ours exclude each other."""
