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

The recipe is that of configs/svhn.py and configs/celeba.py: G starts from 4x4 and
has batch norm in every hidden layer, with one layer more for each doubling of the size;
gray images are in [0, 1], colour in [-1, 1]. The codes are one Cat(10) and two
U(-1, 1), the first even and the second odd in a mirror (docs/method.md).
docs/results.md has what they found in faces and in objects. Where categories are to
be shapes in any light and paint, set the fields of `real_information` as
configs/svhn.py does.
"""

import ml_collections

from infogan_jax.default_config import default_config, make_pictures, make_smoke

SIZES = (8, 16, 32, 64, 128, 256)
SHAPES = {
    text: (size, channels)
    for size in SIZES
    for channels in (1, 3)
    for text in (f"{size}x{channels}", f"{size}x{size}x{channels}")
} | {str(size): (size, 3) for size in SIZES}


def get_config(mode: str = "32x3") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is SIZE[xCHANNELS][-smoke], or `smoke`."""
    shape = "32x3" if mode == "smoke" else mode.removesuffix("-smoke")
    if shape not in SHAPES:
        sizes = ", ".join(map(str, SIZES))
        raise ValueError(
            f"configs/folder.py:{mode}: the mode must be SIZE, SIZExCHANNELS or "
            "SIZExSIZExCHANNELS, each alone or with -smoke after it, or smoke; with "
            f"a SIZE of {sizes} and 1 or 3 CHANNELS"
        )
    size, channels = SHAPES[shape]
    config = default_config(f"folder_{size}x{channels}")
    config.data.update(source="folder", size=size, channels=channels)
    config.latents.codes = "categorical(10), 2 x uniform @ 0.3"
    make_pictures(config, size, channels)
    config.training.steps = 2000
    if mode.endswith("smoke"):
        make_smoke(config)
    return config
