"""Benchmarks for unsupervised domain adaptation, with UNIT at the core."""

__version__ = "0.1.0"
