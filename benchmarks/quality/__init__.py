"""What the models are worth, measured on real flights: `make bench-quality`, `docs/models.md`."""
