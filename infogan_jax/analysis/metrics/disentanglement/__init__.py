"""Published disentanglement scores of codes against known factors, one in each file."""
