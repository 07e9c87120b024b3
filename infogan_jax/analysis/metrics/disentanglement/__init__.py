"""Published disentanglement scores for images whose factors are known, one a file."""
