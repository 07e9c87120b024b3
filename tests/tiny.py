"""A tiny InfoGAN on 8x8 images, for tests that need one."""

import optax

from infogan_jax.game.algorithm import Algorithm, Optimisers
from infogan_jax.model import networks, notation
from infogan_jax.model.latents import LatentSpec

TINY = {
    "generator": "fc 2x2x8 bn relu, upconv 8 s2 bn relu, upconv 1 s2 sigmoid",
    "trunk": "conv 8 s2 lrelu, fc 16 bn lrelu",
    "recognition": "fc 8 bn lrelu",
}

VECTORS = {
    "generator": "fc 16 bn relu, fc 8x8x1 sigmoid",
    "trunk": "fc 16 bn lrelu",
    "recognition": "fc 8 bn lrelu",
}
"""Without a convolution, they compile in half the time."""


def build_tiny(
    codes: str = "categorical(10), 2 x uniform @ 0.5",
    *,
    optimisers: Optimisers | None = None,
    fixed_sd: float | None = None,
    spectral_norm: bool = False,
    precision: str = "float32",
    **switches,
) -> Algorithm:
    """A tiny InfoGAN on 8x8 images; `switches` are fields of Algorithm."""
    spec = LatentSpec(notation.parse_codes(codes), 5, fixed_sd=fixed_sd)
    layers = {name: notation.parse_layers(text, name) for name, text in TINY.items()}
    nets = networks.build(
        **layers,
        input_size=spec.input_size,
        output_size=spec.output_size,
        image_shape=(8, 8, 1),
        spectral_norm=spectral_norm,
        precision=precision,
    )
    if optimisers is None:
        optimisers = Optimisers(optax.adam(2e-4, 0.5), optax.adam(1e-3, 0.5))
    return Algorithm(spec, nets, optimisers, **switches)


def changed(config, name, value):
    nested = config.to_dict()
    *groups, last = name.split(".")
    place = nested
    for group in groups:
        place = place[group]
    place[last] = value
    return nested
