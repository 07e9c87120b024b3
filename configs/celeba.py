"""InfoGAN on CelebA: 32x32 colour faces (Chen et al. 2016, table 3).

Ten Cat(10) codes.

    python train.py --config=configs/celeba.py          # codes that Q reads early
    python train.py --config=configs/celeba.py:paper    # the paper's recipe
    python train.py --config=configs/celeba.py:smoke    # a few steps of the first

The paper shows, in pictures only, azimuth, glasses, hair style and emotion.

`paper` has 128 noise variables, so 228 inputs of G, and lambda 1. Where the paper
gives no number, the choice is ours: 20,000 steps, and the central 148 of 178 x 218
pixels, hair to chin, resized to 32. The default adds instance noise, a higher rate of
D, 32 Gaussian noise variables and lambda 2. After 1,200 steps on 9,000 images the least
L_I of the ten codes was 2.04 +- 0.05 of 2.303 nats over three seeds, which is no sign
of good images (docs/results.md).
"""

import ml_collections

from infogan_jax.default_config import check_mode, default_config, make_smoke


def get_config(mode: str = "default") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is `default`, `paper` or `smoke`."""
    check_mode("celeba", mode, ("default", "paper", "smoke"))
    config = default_config("celeba")
    config.data.update(name="celeb_a", crop=148, size=32, channels=3)
    config.latents.update(codes="10 x categorical(10)", noise_size=128)
    config.networks.update(
        generator=(
            "fc 2x2x448 bn relu, upconv 256 s2 bn relu, upconv 128 s2 relu, "
            "upconv 64 s2 relu, upconv 3 s2 tanh"
        ),
        trunk="conv 64 s2 lrelu, conv 128 s2 bn lrelu, conv 256 s2 bn lrelu",
    )
    if mode == "paper":
        config.name = "celeba_paper"
        return config
    config.latents.update(
        codes="10 x categorical(10) @ 2", noise_size=32, noise_kind="gaussian"
    )
    config.objective.noise_sd = 0.2
    config.optimiser.discriminator_learning_rate = 1e-3
    if mode == "smoke":
        make_smoke(config)
    return config
