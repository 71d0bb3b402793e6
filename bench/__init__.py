"""Measurements. `python -m bench` runs them all and prints one table; see `bench.figure` for how to add one."""
