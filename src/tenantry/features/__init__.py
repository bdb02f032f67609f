"""Features: one point-in-time recipe for every tenant."""
