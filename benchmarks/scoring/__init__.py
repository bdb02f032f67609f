"""How many rows a second are scored from source to receipt, beside a bare script, and in what
memory."""
