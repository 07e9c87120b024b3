"""Loaders of data sets: one module for each value of `config.data.source`."""
