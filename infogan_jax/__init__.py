"""InfoGAN (Chen et al. 2016) in JAX: see README.md for where each part lives."""

__version__ = "0.1.0"
