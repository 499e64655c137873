"""Measurements, side by side with the bare thing. `python -m benchmarks`, or `make bench`."""
