"""Models as plain arrays: the same scores as scikit-learn's, a row in microseconds."""
