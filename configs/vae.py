"""InfoVAE on handwritten digits: the networks of InfoGAN without its game.

    python train.py --config=configs/vae.py              # scikit-learn's 8x8 digits
    python train.py --config=configs/vae.py:categories   # and a category that is used
    python train.py --config=configs/vae.py:mnist        # MNIST
    python train.py --config=configs/vae.py:smoke        # a few steps of the first

The trunk and Q encode a real image, G decodes it, and there is no D (docs/info_vae.md).
All that G gets is codes: noise has no encoder. With lambda 0 nothing maximises L_I,
which is measured all the same. The continuous codes carry the image, and the category
is not used. `categories` asks for it, by L_I and by the bound on real images.
"""

import ml_collections

from infogan_jax.default_config import check_mode, default_config, make_smoke

MODES = ("digits", "categories", "mnist", "smoke")


def get_config(mode: str = "digits") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is one of `MODES`."""
    check_mode("vae", mode, MODES)
    config = default_config("vae")
    config.data.source = "digits"
    config.latents.update(
        codes="categorical(10) @ 0, 8 x gaussian @ 0", noise_size=0, sd_floor=0.3
    )
    config.networks.update(
        generator=(
            "fc 256 bn relu, fc 2x2x128 bn relu, upconv 64 s2 bn relu, "
            "upconv 1 s2 sigmoid"
        ),
        trunk="conv 64 s2 lrelu, conv 128 s2 bn lrelu, fc 256 bn lrelu",
    )
    config.objective.game = "none"
    config.info_vae.update(sd=0.2, mmd_weight=1000.0)
    config.optimiser.discriminator_learning_rate = 4e-4
    config.training.update(steps=4000, checkpoint_every=500)
    if mode == "categories":
        config.name = "vae_categories"
        config.latents.codes = "categorical(10) @ 10, 8 x gaussian @ 0"
        config.real_information.update(
            weight=1.0, rotation=15.0, shear=0.3, scale=0.15, shift=0.075
        )
    if mode == "mnist":
        config.name = "vae_mnist"
        config.data.update(source="tfds", name="mnist")
        config.latents.codes = "categorical(10) @ 0, 16 x gaussian @ 0"
        config.networks.update(
            generator=(
                "fc 1024 bn relu, fc 7x7x128 bn relu, upconv 64 s2 bn relu, "
                "upconv 1 s2 sigmoid"
            ),
            trunk="conv 64 s2 lrelu, conv 128 s2 bn lrelu, fc 1024 bn lrelu",
        )
        config.info_vae.update(sd=0.5, mmd_weight=3000.0)
        config.training.update(
            steps=1000, log_every=50, picture_every=500, checkpoint_every=250
        )
    if mode == "smoke":
        make_smoke(config)
    return config
