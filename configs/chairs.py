"""InfoGAN on 3D renderings of chairs: 64x64, gray (Chen et al. 2016, table 6).

Three Cat(20) codes and one U(-1, 1) code; 128 noise variables, so 189 inputs of G.
The paper takes lambda by the variation that it wants to show:

    python train.py --config=configs/chairs.py
    python train.py --config=configs/chairs.py:width
    python train.py --config=configs/chairs.py:smoke

Without a mode it is rotation. The paper shows the best of 5 seeds, in pictures only.

The images are those of Aubry et al. 2014. tfds does not have them, but this project
brings the builder, which downloads (the address is untried)
https://www.di.ens.fr/willow/research/seeing3Dchairs/data/rendered_chairs.tar
or takes the file from downloads/manual/ in the data directory. For a folder of your
own: --config.data.source=folder --config.data.directory=path/to/images

Where the paper disagrees with itself (its text has four Cat(20) codes), its
appendix wins, whose sizes add up; the last upconv, printed without a stride, has 2,
the only one that gives 64 pixels. D and Q share all but one linear map, so
recognition is empty.
"""

import ml_collections

from infogan_jax.default_config import check_mode, default_config, make_smoke

# lambda of the categorical codes, of the continuous code
VARIATIONS = {"rotation": (1.0, 10.0), "width": (2.0, 0.05)}


def get_config(mode: str = "rotation") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is a variation, or `smoke`, of the first."""
    check_mode("chairs", mode, (*VARIATIONS, "smoke"))
    variation = "rotation" if mode == "smoke" else mode
    discrete, continuous = VARIATIONS[variation]
    config = default_config(f"chairs_{variation}")
    config.data.update(name="rendered_chairs", size=64, channels=1)
    config.latents.codes = f"3 x categorical(20) @ {discrete}, uniform @ {continuous}"
    config.networks.update(
        generator=(
            "fc 1024 bn relu, fc 8x8x256 bn relu, upconv 256 bn relu, "
            "upconv 256 bn relu, upconv 128 s2 bn relu, upconv 64 s2 bn relu, "
            "upconv 1 s2 sigmoid"
        ),
        trunk=(
            "conv 64 s2 lrelu, conv 128 s2 bn lrelu, conv 256 s2 bn lrelu, "
            "conv 256 bn lrelu, conv 256 bn lrelu, fc 1024 bn lrelu"
        ),
        recognition="",
    )
    if mode == "smoke":
        config.name = "chairs"
        make_smoke(config)
    return config
