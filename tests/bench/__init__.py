"""Benchmarks: each prints rows of figures; docs/benchmarks.md holds measured ones with their method."""
