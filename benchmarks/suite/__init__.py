"""Benchmarks for asv; benchmarks/README.md says how to run them."""
