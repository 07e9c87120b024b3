"""InfoGAN on 3D renderings of chairs: 64x64, gray (Chen et al. 2016, table 6).

Three Cat(20) codes and one U(-1, 1) code; 128 noise variables, so 189 inputs of G.
The paper takes lambda by the variation that it wants to show:

    python train.py --config=configs/chairs.py
    python train.py --config=configs/chairs.py:width
    python train.py --config=configs/chairs.py:smoke

Without a mode it is rotation. The paper shows the best of 5 seeds, in pictures
only. The images are those of Aubry et al. 2014; tfds does not have them, but this
project brings the builder, which downloads (the address is untried)
https://www.di.ens.fr/willow/research/seeing3Dchairs/data/rendered_chairs.tar
or takes it from downloads/manual/ in the data directory. A folder of your own:
--config.data.source=folder --config.data.directory=path/to/images

Where the paper disagrees with itself (its text has four Cat(20) codes), its
appendix wins, whose sizes add up; the last upconv, printed without a stride, has 2,
the only one that gives 64 pixels. D and Q share all but one linear map (recognition
is empty). Where the paper gives no number, the choice is ours: a floor of 0.1 under
Q's standard deviation; without one the likelihood grows without bound, up to NaN.
"""

import ml_collections

# lambda of the categorical codes, of the continuous code
VARIATIONS = {"rotation": (1.0, 10.0), "width": (2.0, 0.05)}


def get_config(mode: str = "rotation") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is a variation, or `smoke`, of the first."""
    modes = (*VARIATIONS, "smoke")
    if mode not in modes:
        raise ValueError(
            f"configs/chairs.py:{mode}: the mode must be one of {', '.join(modes)}"
        )
    variation = "rotation" if mode == "smoke" else mode
    discrete, continuous = VARIATIONS[variation]
    config = ml_collections.ConfigDict()
    config.name = f"chairs_{variation}"
    config.seed = 0
    config.data = dict(
        source="tfds",
        name="rendered_chairs",
        directory="",
        crop=0,
        size=64,
        channels=1,
        labels=False,
        held_out=0.1,
        stream=False,
        batch_size=128,
    )
    config.latents = dict(
        codes=f"3 x categorical(20) @ {discrete}, uniform @ {continuous}",
        noise_size=128,
        noise_kind="uniform",
        fixed_sd=0.0,  # 0: Q learns it
        sd_floor=0.1,
    )
    config.networks = dict(
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
        discriminator_learning_rate=2e-4,
        generator_learning_rate=1e-3,
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
        config.name = "chairs_smoke"
        config.training = dict(
            steps=4,
            steps_per_call=2,
            log_every=2,
            picture_every=4,
            checkpoint_every=4,
        )
        config.evaluation.samples = 200
    return config
