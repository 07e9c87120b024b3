"""InfoGAN on 3D renderings of faces: 32x32, gray (Chen et al. 2016, table 4).

Five U(-1, 1) codes; 128 noise variables, so 133 inputs of G. The paper takes
learning rates and lambda by the variation that it wants to show:

    python train.py --config=configs/faces.py
    python train.py --config=configs/faces.py:elevation
    python train.py --config=configs/faces.py:lighting
    python train.py --config=configs/faces.py:smoke

Without a mode it is azimuth; lighting shows wide or narrow as well, in another
code. The paper shows the best of 5 seeds, in pictures only. Its faces are drawn
with the Basel Face Model, whose licence each user has to ask for at
https://faces.dmi.unibas.ch/bfm/: so put your renderings, of any size, into
downloads/manual/rendered_faces/ in the data directory. Any other folder will do as
well: --config.data.source=folder --config.data.directory=path/to/images

D and Q share all but one linear map (recognition is empty). Where the paper gives
no number, the choice is ours: a floor of 0.1 under Q's standard deviation, without
which the likelihood grows without bound.
"""

import ml_collections

# D's learning rate, G's, lambda
VARIATIONS = {
    "azimuth": (2e-4, 5e-4, 0.2),
    "elevation": (4e-4, 3e-4, 0.1),
    "lighting": (8e-4, 3e-4, 0.1),
}


def get_config(mode: str = "azimuth") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is a variation, or `smoke`, of the first."""
    modes = (*VARIATIONS, "smoke")
    if mode not in modes:
        raise ValueError(
            f"configs/faces.py:{mode}: the mode must be one of {', '.join(modes)}"
        )
    variation = "azimuth" if mode == "smoke" else mode
    d_rate, g_rate, weight = VARIATIONS[variation]
    config = ml_collections.ConfigDict()
    config.name = f"faces_{variation}"
    config.seed = 0
    config.data = dict(
        source="tfds",
        name="rendered_faces",
        directory="",
        crop=0,
        size=32,
        channels=1,
        labels=False,
        held_out=0.1,
        stream=False,
        batch_size=128,
    )
    config.latents = dict(
        codes=f"5 x uniform @ {weight}",
        noise_size=128,
        noise_kind="uniform",
        fixed_sd=0.0,  # 0: Q learns it
        sd_floor=0.1,
    )
    config.networks = dict(
        generator=(
            "fc 1024 bn relu, fc 8x8x128 bn relu, upconv 64 s2 bn relu, "
            "upconv 1 s2 sigmoid"
        ),
        trunk="conv 64 s2 lrelu, conv 128 s2 bn lrelu, fc 1024 bn lrelu",
        recognition="",
        lrelu_slope=0.1,
        spectral_norm=False,
        precision="float32",
    )
    config.objective = dict(
        info_to_generator=True,
        info_to_trunk=True,
        real_label=1.0,
        noise_sd=0.0,
        noise_anneal_steps=0,
    )
    config.real_information = dict(
        weight=0.0,
        temperature=0.5,
        change_weight=0.0,
        rotation=0.0,
        shear=0.0,
        scale=0.0,
        stroke=0.0,
        shift=0.0,
    )
    config.optimiser = dict(
        discriminator_learning_rate=d_rate,
        generator_learning_rate=g_rate,
        beta1=0.5,
        beta2=0.999,
        average_decay=0.0,
    )
    config.training = dict(
        steps=20_000,
        steps_per_call=25,
        log_every=100,
        picture_every=1000,
        checkpoint_every=1000,
    )
    config.evaluation = dict(samples=10_000)
    if mode == "smoke":
        config.name = "faces_smoke"
        config.training = dict(
            steps=4,
            steps_per_call=2,
            log_every=2,
            picture_every=4,
            checkpoint_every=4,
        )
        config.evaluation.samples = 200
    return config
