"""What is measured of a trained InfoGAN: each module has one theme."""
