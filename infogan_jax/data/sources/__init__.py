"""Where images come from: one file for each `config.data.source`."""
