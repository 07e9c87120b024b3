"""InfoGAN on SVHN: 32x32 colour house numbers (Chen et al. 2016, table 2).

    python train.py --config=configs/svhn.py            # categories that are digits
    python train.py --config=configs/svhn.py:light      # codes that are the light
    python train.py --config=configs/svhn.py:paper      # the paper's recipe
    python train.py --config=configs/svhn.py:smoke      # a few steps of the first

The paper shows, in pictures only, lighting in a continuous code and the context of the
digit in a categorical one. `paper` has table 2's networks, four Cat(10) and four
U(-1, 1) codes and 124 noise variables, as in the appendix, whose sizes add up. Where
the paper gives no number, the choice is ours: lambda is 1, for continuous codes
"smaller", here 0.1; 20,000 steps. On a CPU's share of those steps its codes are written
in a pattern that Q reads and nobody sees.

The default has one Cat(10) code and three U(-1, 1) codes, the first two even and the
last odd in a mirror. Its networks are half as wide, G starts from 4x4 and has batch
norm in every hidden layer, and the learning rates are near each other. Q is to give a
real image the same category after it was moved a little, painted in other colours,
shaded from one edge to the other and inverted, which leaves the figure as what tells
images apart.

`light` does not ask this of Q and has one even code less. In each of five seeds the
even code is the brightness and the odd one the side of the light; the categories are
not digits. docs/results.md has both.
"""

import ml_collections

from infogan_jax.default_config import (
    check_mode,
    default_config,
    make_pictures,
    make_smoke,
)


def get_config(mode: str = "default") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is `default`, `light`, `paper` or `smoke`."""
    check_mode("svhn", mode, ("default", "light", "paper", "smoke"))
    config = default_config("svhn")
    config.data.name = "svhn_cropped"
    if mode == "paper":
        config.name = "svhn_paper"
        config.latents.update(
            codes="4 x categorical(10), 4 x uniform @ 0.1", noise_size=124
        )
        config.networks.update(
            generator=(
                "fc 2x2x448 bn relu, upconv 256 s2 bn relu, upconv 128 s2 relu, "
                "upconv 64 s2 relu, upconv 3 s2 tanh"
            ),
            trunk="conv 64 s2 lrelu, conv 128 s2 bn lrelu, conv 256 s2 bn lrelu",
        )
        return config
    make_pictures(config, 32, 3)
    if mode == "light":
        config.name = "svhn_light"
        config.latents.codes = "categorical(10), 2 x uniform @ 0.3"
        return config
    config.latents.codes = "categorical(10), 3 x uniform @ 0.3"
    config.real_information.update(
        weight=2.0,
        temperature=0.4,
        rotation=8.0,
        shear=0.15,
        scale=0.15,
        shift=0.1,
        contrast=0.5,
        brightness=0.1,
        tint=0.1,
        shading=0.15,
        invert=True,
    )
    config.optimiser.discriminator_learning_rate = 4e-4
    if mode == "smoke":
        make_smoke(config)
    return config
