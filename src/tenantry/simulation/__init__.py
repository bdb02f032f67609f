"""A run on a cluster, simulated: what it takes before anybody pays for it."""
