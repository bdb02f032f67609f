"""Onboarding: a tenant's spec, proposed from its rows, and a product's from its first ones."""
