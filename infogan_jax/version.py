"""The version of the package, for the records of runs."""

__version__ = "0.1.0"
