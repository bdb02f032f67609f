"""Retention: what may go when it is old, and what stays because something kept rests on it."""
