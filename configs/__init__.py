"""The experiments, one a file: each says what differs from the default config."""
