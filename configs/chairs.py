"""InfoGAN on rendered chairs: 64x64, gray (Chen et al. 2016, table 6 and figure 4).

    python train.py --config=configs/chairs.py                 # our recipe
    python train.py --config=configs/chairs.py:paper           # table 6, rotation
    python train.py --config=configs/chairs.py:paper-width
    python train.py --config=configs/chairs.py:smoke           # a few steps

The chairs, armchairs, benches and stools are drawn once by
infogan_jax/data/sources/seats.py, with exact factors: rotation, elevation, width and
height. Nothing is downloaded.

Our recipe has five continuous codes. In a mirror, which turns a rotation into its
negative, the last one is to change its sign and the others are not (`parity_weight`,
docs/method.md). So it can be the part of the rotation that changes sides, but not the
whole circle. The lamp stays on the left, so that a mirrored chair is lit from a side
that does not occur. `change_weight`, with a T of width and height, speaks to the first
two codes. The networks are half as wide as those of other pictures of 64 pixels.

`paper` has table 6's networks, three Cat(20) codes and one U(-1, 1) code, and 128 noise
variables, so 189 inputs of G. The paper takes lambda by the variation that it wants to
show (tables 5 and 7), and shows the best of 5 seeds, in pictures only. Where it
disagrees with itself (its text has four Cat(20) codes), its appendix wins, whose sizes
add up; the last upconv, printed without a stride, has 2, the only one that gives 64
pixels. D and Q share all but one linear map, so recognition is empty.

`rendered_chairs` and `rendered_chairs-width` are the paper's recipes on its own images,
those of Aubry et al. 2014. tfds does not have them, but this project brings the
builder, which downloads (the address is untried)
https://www.di.ens.fr/willow/research/seeing3Dchairs/data/rendered_chairs.tar
or takes the file from downloads/manual/ in the data directory. For a folder of your
own: --config.data.source=folder --config.data.directory=path/to/images
"""

import ml_collections

from infogan_jax.default_config import (
    check_mode,
    default_config,
    make_pictures,
    make_smoke,
)

# lambda of the categorical codes, of the continuous code
VARIATIONS = {"rotation": (1.0, 10.0), "width": (2.0, 0.05)}
PAPER = ("paper", "paper-width")
OWN = ("rendered_chairs", "rendered_chairs-width")


def get_config(mode: str = "default") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is `default`, `smoke`, or of `PAPER` or `OWN`."""
    check_mode("chairs", mode, ("default", *PAPER, *OWN, "smoke"))
    config = default_config("chairs")
    config.data.source = "seats"
    if mode in PAPER + OWN:
        data, _, variation = mode.partition("-")
        if data == "rendered_chairs":
            config.data.update(
                source="tfds", name="rendered_chairs", size=64, channels=1
            )
        _as_in_the_paper(config, variation or "rotation")
        config.name = "_".join(["chairs", *mode.split("-")])
        return config
    config.latents.codes = "5 x uniform @ 0.3"
    make_pictures(config, 64, 1, narrowest=16)
    config.real_information.update(change_weight=1.0, scale=0.15)
    config.training.steps = 1200
    if mode == "smoke":
        config.data.name = "small"
        make_smoke(config)
    return config


def _as_in_the_paper(config: ml_collections.ConfigDict, variation: str) -> None:
    discrete, continuous = VARIATIONS[variation]
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
