"""Metrics: arrays to numbers, numpy and scipy only."""
