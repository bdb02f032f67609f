"""Training: recipes, their selection in time order, and the pooled model."""
