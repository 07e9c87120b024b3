"""A run on disk: config, checkpoints, stats, pictures, and how a run stops."""
