"""Runs that are killed, raced and starved, and what the next run makes of what they left."""
