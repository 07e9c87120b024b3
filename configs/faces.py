"""InfoGAN on rendered heads: 32x32, gray (Chen et al. 2016, table 4 and figure 3).

    python train.py --config=configs/faces.py                  # our recipe
    python train.py --config=configs/faces.py:paper            # table 4, azimuth
    python train.py --config=configs/faces.py:paper-elevation
    python train.py --config=configs/faces.py:paper-lighting   # wide or narrow as well
    python train.py --config=configs/faces.py:smoke            # a few steps

The heads are drawn once by infogan_jax/data/sources/heads.py, with exact factors:
azimuth, elevation, the direction of the light, and width. Nothing is downloaded.

Our recipe has five continuous codes. In a mirror the last two change their sign and the
first three do not (`parity_weight`, docs/method.md). So azimuth and light, which change
sides, go to the last two, and elevation and width to the others. In every seed
`uniform_3`, whose lambda is larger, is the azimuth and `uniform_4` the light. With
equal lambdas each could be a mixture. `change_weight`, with a T of width and height,
makes `uniform_1` the width. It says something about the first two codes alone, because
this T has two directions.

`paper` has table 4's networks, five U(-1, 1) codes and 128 noise variables, so 133
inputs of G. The paper takes learning rates and lambda by the variation that it wants to
show (tables 5 and 7), and shows the best of 5 seeds, in pictures only. D and Q share
all but one linear map, so recognition is empty.

The paper's own faces are drawn with the Basel Face Model, whose licence each user has
to ask for at https://faces.dmi.unibas.ch/bfm/. `renderings`, `renderings-elevation` and
`renderings-lighting` are the paper's recipes on your renderings, of any size, in
downloads/manual/rendered_faces/ of the data directory. Any other folder will do as
well: --config.data.source=folder --config.data.directory=path/to/images
"""

import ml_collections

from infogan_jax.default_config import (
    check_mode,
    default_config,
    make_pictures,
    make_smoke,
)

# D's learning rate, G's, lambda (tables 5 and 7)
VARIATIONS = {
    "azimuth": (2e-4, 5e-4, 0.2),
    "elevation": (4e-4, 3e-4, 0.1),
    "lighting": (8e-4, 3e-4, 0.1),
}
PAPER = ("paper", "paper-elevation", "paper-lighting")
OWN = ("renderings", "renderings-elevation", "renderings-lighting")


def get_config(mode: str = "default") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is `default`, `smoke`, or of `PAPER` or `OWN`."""
    check_mode("faces", mode, ("default", *PAPER, *OWN, "smoke"))
    config = default_config("faces")
    config.data.source = "heads"
    if mode in PAPER + OWN:
        data, _, variation = mode.partition("-")
        if data == "renderings":
            config.data.update(
                source="tfds", name="rendered_faces", size=32, channels=1
            )
        _as_in_the_paper(config, variation or "azimuth")
        config.name = "_".join(["faces", *mode.split("-")])
        return config
    config.latents.codes = "2 x uniform @ 0.15, 2 x uniform @ 0.6, uniform @ 0.15"
    make_pictures(config, 32, 1)
    config.real_information.update(odd_codes=2, change_weight=2.0, scale=0.15)
    config.training.steps = 2000
    if mode == "smoke":
        config.data.name = "small"
        make_smoke(config)
    return config


def _as_in_the_paper(config: ml_collections.ConfigDict, variation: str) -> None:
    d_rate, g_rate, weight = VARIATIONS[variation]
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
