"""The command line: `infogan train`, `infogan eval`, `infogan seeds`."""
