"""InfoGAN on a folder of your own images.

    D=path/to/images
    python train.py --config=configs/folder.py --config.data.directory=$D
    python train.py --config=configs/folder.py:64x1 --config.data.directory=$D
    python train.py --config=configs/folder.py:64x1-smoke --config.data.directory=$D

What follows the colon chooses the networks: the size that images are brought to, 8, 16,
32, 64, 128 or 256 pixels square, and the channels, 1 (gray) or 3 (colour). 32x3,
32x32x3 and 32 are the same, and the default. Everything else is a flag, e.g.

    --config.latents.codes="kind=categorical(6), 3 x uniform @ 0.1"
    --config.data.labels=True     # class folders, or a CSV file with file,label
    --config.data.fit=pad         # a border instead of the central square

docs/data.md says what the reader does with each kind of file and folder.

At 32 the networks are those of the paper for SVHN and CelebA; at 16 those for
MNIST, from 4 x 4 on; at 8 those of configs/digits.py; from 64 to 256 as many layers
more as there are halvings. Gray images are in [0, 1], colour in [-1, 1], as in the
paper. Codes, 20,000 steps and the floor of 0.1 are a start, not a result. If D
learns a small folder by heart (its loss falls steadily), try
--config.objective.noise_sd=0.1.
"""

import ml_collections

from infogan_jax.default_config import default_config, make_smoke

# For each size: the layers of the trunk, and those of G but for the last
NETWORKS = {
    8: (
        "conv 64 s2 lrelu, conv 128 s2 bn lrelu, fc 256 bn lrelu",
        "fc 256 bn relu, fc 2x2x128 bn relu, upconv 64 s2 bn relu",
    ),
    16: (
        "conv 64 s2 lrelu, conv 128 s2 bn lrelu, fc 1024 bn lrelu",
        "fc 1024 bn relu, fc 4x4x128 bn relu, upconv 64 s2 bn relu",
    ),
    32: (
        "conv 64 s2 lrelu, conv 128 s2 bn lrelu, conv 256 s2 bn lrelu",
        "fc 2x2x448 bn relu, upconv 256 s2 bn relu, upconv 128 s2 relu, "
        "upconv 64 s2 relu",
    ),
    64: (
        "conv 64 s2 lrelu, conv 128 s2 bn lrelu, conv 256 s2 bn lrelu, "
        "conv 512 s2 bn lrelu",
        "fc 4x4x512 bn relu, upconv 256 s2 bn relu, upconv 128 s2 bn relu, "
        "upconv 64 s2 bn relu",
    ),
    128: (
        "conv 64 s2 lrelu, conv 128 s2 bn lrelu, conv 256 s2 bn lrelu, "
        "conv 512 s2 bn lrelu, conv 512 s2 bn lrelu",
        "fc 4x4x512 bn relu, upconv 512 s2 bn relu, upconv 256 s2 bn relu, "
        "upconv 128 s2 bn relu, upconv 64 s2 bn relu",
    ),
    256: (
        "conv 64 s2 lrelu, conv 128 s2 bn lrelu, conv 256 s2 bn lrelu, "
        "conv 512 s2 bn lrelu, conv 512 s2 bn lrelu, conv 512 s2 bn lrelu",
        "fc 4x4x512 bn relu, upconv 512 s2 bn relu, upconv 512 s2 bn relu, "
        "upconv 256 s2 bn relu, upconv 128 s2 bn relu, upconv 64 s2 bn relu",
    ),
}
LAST = {1: "upconv 1 s2 sigmoid", 3: "upconv 3 s2 tanh"}
SHAPES = {
    text: (size, channels)
    for size in NETWORKS
    for channels in LAST
    for text in (f"{size}x{channels}", f"{size}x{size}x{channels}")
} | {str(size): (size, 3) for size in NETWORKS}


def get_config(mode: str = "32x3") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is SIZE[xCHANNELS][-smoke], or `smoke`."""
    shape = "32x3" if mode == "smoke" else mode.removesuffix("-smoke")
    if shape not in SHAPES:
        sizes = ", ".join(map(str, NETWORKS))
        raise ValueError(
            f"configs/folder.py:{mode}: the mode must be SIZE, SIZExCHANNELS or "
            "SIZExSIZExCHANNELS, each alone or with -smoke after it, or smoke; with "
            f"a SIZE of {sizes} and 1 or 3 CHANNELS"
        )
    size, channels = SHAPES[shape]
    trunk, generator = NETWORKS[size]
    config = default_config(f"folder_{size}x{channels}")
    config.data.update(source="folder", size=size, channels=channels)
    config.networks.update(generator=f"{generator}, {LAST[channels]}", trunk=trunk)
    if mode.endswith("smoke"):
        make_smoke(config)
    return config
