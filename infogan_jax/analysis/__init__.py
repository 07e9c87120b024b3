"""Analysis of a trained InfoGAN: encoding, generation, metrics and the report."""
