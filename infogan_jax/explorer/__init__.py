"""A local page with sliders over the codes of a trained run, and its server."""
