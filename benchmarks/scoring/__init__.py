"""Rows a second from source to receipt, beside a bare script, and the memory that it takes."""
