"""Beyond the paper: what D and Q also learn from real images, without a label."""
