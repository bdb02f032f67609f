"""From rows to features: one recipe, strictly point-in-time; `docs/features.md` is its page."""
