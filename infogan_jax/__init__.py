"""InfoGAN (Chen et al. 2016) in JAX: docs/design.md says where each part lives."""

__version__ = "0.1.0"
