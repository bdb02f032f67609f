"""Benchmarks that anybody can run again; each prints what it measured and how."""
