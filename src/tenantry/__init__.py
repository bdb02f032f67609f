"""A model for every tenant of a SaaS product: the library that runs inside the containers."""
