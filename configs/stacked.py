"""InfoGAN on stacked digits: three digits in three colours, 1,000 modes, 8x8.

    infogan boost --config=stacked --rounds=5       # AdaGAN: five components
    python train.py --config=configs/stacked.py     # one of them
    python train.py --config=configs/stacked.py:smoke

The digits are those in the package. With `--config.data.name=mnist` and a G that ends
in `fc 28x28x3 sigmoid` they are MNIST's (infogan_jax/data/sources/stacked.py). There is
a category for each colour. A component is small and its run short, so that it misses
modes, which is what the mixture is for (docs/boosting.md).
"""

import ml_collections

from infogan_jax.default_config import check_mode, default_config, make_smoke


def get_config(mode: str = "default") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is `default` or `smoke`."""
    check_mode("stacked", mode, ("default", "smoke"))
    config = default_config("stacked")
    config.data.update(source="stacked", batch_size=128)
    config.latents.update(
        codes="3 x categorical(10) @ 0.3", noise_size=30, noise_kind="gaussian"
    )
    config.networks.update(
        generator="fc 256 bn relu, fc 256 bn relu, fc 8x8x3 sigmoid",
        trunk="fc 256 lrelu, fc 256 bn lrelu",
        recognition="fc 64 bn lrelu",
    )
    config.objective.noise_sd = 0.3
    config.optimiser.update(
        discriminator_learning_rate=4e-4,
        generator_learning_rate=1e-3,
        average_decay=0.99,
    )
    config.training.update(steps=600, picture_every=300, checkpoint_every=300)
    config.evaluation.samples = 25_600
    if mode == "smoke":
        make_smoke(config)
    return config
