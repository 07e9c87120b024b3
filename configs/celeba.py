"""InfoGAN on CelebA: 32x32 colour faces (Chen et al. 2016, table 3).

    python train.py --config=configs/celeba.py          # faces, and visible codes
    python train.py --config=configs/celeba.py:64       # the same with 64x64 pixels
    python train.py --config=configs/celeba.py:paper    # the paper's recipe
    python train.py --config=configs/celeba.py:smoke    # a few steps of the first

The paper shows, in pictures only, azimuth, glasses, hair style and emotion, each in one
of ten Cat(10) codes. `paper` has these, 128 noise variables, so 228 inputs of G, and
lambda 1. Where the paper gives no number, the choice is ours: 20,000 steps, and the
central 148 of 178 x 218 pixels, hair to chin, resized to 32.

The default has five Cat(10) and three U(-1, 1) codes, on the networks and rates of
configs/svhn.py. The first continuous code is even in a mirror and becomes the
brightness; the other two are odd and become the direction of the face and of the light
(docs/results.md).
"""

import ml_collections

from infogan_jax.default_config import (
    check_mode,
    default_config,
    make_pictures,
    make_smoke,
)


def get_config(mode: str = "default") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is `default`, `64`, `paper` or `smoke`."""
    check_mode("celeba", mode, ("default", "64", "paper", "smoke"))
    config = default_config("celeba")
    config.data.update(name="celeb_a", crop=148, size=32, channels=3)
    if mode == "paper":
        config.name = "celeba_paper"
        config.latents.update(codes="10 x categorical(10)", noise_size=128)
        config.networks.update(
            generator=(
                "fc 2x2x448 bn relu, upconv 256 s2 bn relu, upconv 128 s2 relu, "
                "upconv 64 s2 relu, upconv 3 s2 tanh"
            ),
            trunk="conv 64 s2 lrelu, conv 128 s2 bn lrelu, conv 256 s2 bn lrelu",
        )
        return config
    config.latents.codes = "5 x categorical(10), 3 x uniform @ 0.3"
    make_pictures(config, 64 if mode == "64" else 32, 3)
    config.real_information.odd_codes = 2
    if mode == "64":
        config.name = "celeba_64"
        config.data.size = 64
        config.training.steps = 1500  # each takes five times as long
    if mode == "smoke":
        make_smoke(config)
    return config
