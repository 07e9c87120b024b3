"""InfoGAN on stacked digits: three digits in three colours, 1,000 modes, 8x8.

    infogan boost --config=stacked --rounds=5       # AdaGAN: five components
    python train.py --config=configs/stacked.py     # one of them
    python train.py --config=configs/stacked.py:smoke

The digits are those in the package. With `--config.data.name=mnist` and networks for
28 x 28 x 3 they are MNIST's (infogan_jax/data/sources/stacked.py). A component is
small and short on purpose (docs/boosting.md).
"""

import ml_collections

from infogan_jax.default_config import check_mode, default_config, make_smoke


def get_config(mode: str = "default") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is `default` or `smoke`."""
    check_mode("stacked", mode, ("default", "smoke"))
    config = default_config("stacked")
    config.data.update(source="stacked", batch_size=128)
    config.latents.update(
        codes="categorical(10)", noise_size=30, noise_kind="gaussian", sd_floor=0.3
    )
    config.networks.update(
        generator="fc 128 bn relu, fc 2x2x64 bn relu, upconv 32 s2 bn relu, "
        "upconv 3 s2 sigmoid",
        trunk="conv 32 s2 lrelu, conv 64 s2 bn lrelu, fc 128 bn lrelu",
        recognition="fc 64 bn lrelu",
    )
    config.optimiser.update(
        discriminator_learning_rate=4e-4,
        generator_learning_rate=1e-3,
        average_decay=0.99,
    )
    config.training.update(steps=500, picture_every=500, checkpoint_every=250)
    config.evaluation.samples = 25_600
    if mode == "smoke":
        make_smoke(config)
    return config
