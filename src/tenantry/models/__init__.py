"""Fitted models: how they score, their files and their cards."""
