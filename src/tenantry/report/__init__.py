"""What people read of a fleet after a run: a page, a summary, figures."""
