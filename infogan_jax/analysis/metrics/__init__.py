"""Formulas of the metrics: numpy arrays in, numbers out, without JAX."""
