"""Several runs of an experiment: seeds, settings and mixtures, and how they train."""
