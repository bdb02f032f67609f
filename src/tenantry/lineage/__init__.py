"""Lineage: what a thing in the store was made from, and what it influenced."""
