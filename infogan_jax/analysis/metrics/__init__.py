"""Formulas: arrays to numbers, with numpy, scipy and scikit-learn only."""
