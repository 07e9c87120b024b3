"""Several runs of an experiment: seeds and settings, and how they train at once."""
