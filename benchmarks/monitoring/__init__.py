"""Measure whether monitoring can be believed: `make bench-monitor`."""
