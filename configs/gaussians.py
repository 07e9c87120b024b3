"""InfoGAN on points in the plane, from 10 Gaussians at random places.

    infogan boost --config=gaussians --rounds=5     # AdaGAN: five components
    python train.py --config=configs/gaussians.py   # one of them
    python train.py --config=configs/gaussians.py:smoke

`--config.data.name=10-3` has the places number 3, `5` has five Gaussians
(infogan_jax/data/sources/gaussians.py). A component is small on purpose: it often
misses a Gaussian, which is what the mixture is for (docs/boosting.md).
"""

import ml_collections

from infogan_jax.default_config import check_mode, default_config, make_smoke


def get_config(mode: str = "default") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is `default` or `smoke`."""
    check_mode("gaussians", mode, ("default", "smoke"))
    config = default_config("gaussians")
    config.data.update(source="gaussians", name="10", batch_size=128)
    config.latents.update(
        codes="2 x uniform @ 0.1", noise_size=8, noise_kind="gaussian", sd_floor=0.3
    )
    config.networks.update(
        generator="fc 128 bn relu, fc 128 bn relu, fc 1x2x1 tanh",
        trunk="fc 128 lrelu, fc 128 lrelu, fc 128 lrelu",
        recognition="fc 32 lrelu",
    )
    config.objective.noise_sd = 0.05
    config.optimiser.update(
        discriminator_learning_rate=1e-3,
        generator_learning_rate=1e-3,
        average_decay=0.99,
    )
    config.training.update(steps=2000, log_every=500, picture_every=2000)
    if mode == "smoke":
        make_smoke(config)
    return config
