"""Answering for one row at a time: what the store holds for it, and what answers."""
