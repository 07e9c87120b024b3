"""InfoGAN on 3D renderings of faces: 32x32, gray (Chen et al. 2016, table 4).

Five U(-1, 1) codes; 128 noise variables, so 133 inputs of G. The paper takes
learning rates and lambda by the variation that it wants to show:

    python train.py --config=configs/faces.py
    python train.py --config=configs/faces.py:elevation
    python train.py --config=configs/faces.py:lighting
    python train.py --config=configs/faces.py:smoke

Without a mode it is azimuth; lighting shows wide or narrow as well, in another
code. The paper shows the best of 5 seeds, in pictures only.

The paper's faces are drawn with the Basel Face Model, whose licence each user has to
ask for at https://faces.dmi.unibas.ch/bfm/. Put your renderings, of any size, into
downloads/manual/rendered_faces/ in the data directory. Any other folder will do as
well: --config.data.source=folder --config.data.directory=path/to/images

D and Q share all but one linear map, so recognition is empty.
"""

import ml_collections

from infogan_jax.default_config import check_mode, default_config, make_smoke

# D's learning rate, G's, lambda (tables 5 and 7)
VARIATIONS = {
    "azimuth": (2e-4, 5e-4, 0.2),
    "elevation": (4e-4, 3e-4, 0.1),
    "lighting": (8e-4, 3e-4, 0.1),
}


def get_config(mode: str = "azimuth") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is a variation, or `smoke`, of the first."""
    check_mode("faces", mode, (*VARIATIONS, "smoke"))
    variation = "azimuth" if mode == "smoke" else mode
    d_rate, g_rate, weight = VARIATIONS[variation]
    config = default_config(f"faces_{variation}")
    config.data.update(name="rendered_faces", size=32, channels=1)
    config.latents.codes = f"5 x uniform @ {weight}"
    config.networks.update(
        generator=(
            "fc 1024 bn relu, fc 8x8x128 bn relu, upconv 64 s2 bn relu, "
            "upconv 1 s2 sigmoid"
        ),
        trunk="conv 64 s2 lrelu, conv 128 s2 bn lrelu, fc 1024 bn lrelu",
        recognition="",
    )
    config.optimiser.update(
        discriminator_learning_rate=d_rate, generator_learning_rate=g_rate
    )
    if mode == "smoke":
        config.name = "faces"
        make_smoke(config)
    return config
