"""The fleet pipeline: wiring, compiling, running and submitting."""
