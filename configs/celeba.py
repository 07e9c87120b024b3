"""InfoGAN on CelebA: 32x32 colour faces (Chen et al. 2016, table 3).

Ten Cat(10) codes. The networks are those of SVHN.

    python train.py --config=configs/celeba.py          # codes that one can see early
    python train.py --config=configs/celeba.py:paper    # the paper's recipe
    python train.py --config=configs/celeba.py:smoke    # a few steps of the first

The paper shows, in pictures only, azimuth, glasses, hair style and emotion, one in
each of four categorical codes.

`paper` has 128 noise variables, so 228 inputs of G, and lambda 1. Where the paper
gives no number, the choice is ours: 20,000 steps, and the central 148 of 178 x 218
pixels, hair to chin, resized to 32. The default differs from it as in configs/svhn.py:
instance noise, a higher rate of D, 32 Gaussian noise variables, lambda 2. After 1,200
steps on 9,000 images the least L_I of the ten codes was 2.04 +- 0.05 of 2.303 nats
over three seeds, at worst 1.98.

The data comes from tfds into config.data.directory ("" is tfds's default).
"""

import ml_collections


def get_config(mode: str = "default") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is `default`, `paper` or `smoke`."""
    if mode not in ("default", "paper", "smoke"):
        raise ValueError(
            f"configs/celeba.py:{mode}: the mode must be default, paper or smoke"
        )
    config = ml_collections.ConfigDict()
    config.name = "celeba"
    config.seed = 0
    config.data = dict(
        source="tfds",
        name="celeb_a",
        directory="",
        crop=148,
        size=32,
        channels=3,
        labels=False,
        held_out=0.1,
        stream=False,
        batch_size=128,
    )
    config.latents = dict(
        codes="10 x categorical(10) @ 2",
        noise_size=32,
        noise_kind="gaussian",
        fixed_sd=0.0,
        sd_floor=0.1,  # not used: there is no continuous code
    )
    config.networks = dict(
        generator=(
            "fc 2x2x448 bn relu, upconv 256 s2 bn relu, upconv 128 s2 relu, "
            "upconv 64 s2 relu, upconv 3 s2 tanh"
        ),
        trunk="conv 64 s2 lrelu, conv 128 s2 bn lrelu, conv 256 s2 bn lrelu",
        recognition="fc 128 bn lrelu",
        lrelu_slope=0.1,
        spectral_norm=False,
        precision="float32",
    )
    config.objective = dict(
        info_to_generator=True,
        info_to_trunk=True,
        real_label=1.0,
        noise_sd=0.2,
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
        discriminator_learning_rate=1e-3,
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
    if mode == "paper":
        config.name = "celeba_paper"
        config.latents.codes = "10 x categorical(10)"
        config.latents.noise_size = 128
        config.latents.noise_kind = "uniform"
        config.objective.noise_sd = 0.0
        config.optimiser.discriminator_learning_rate = 2e-4
    if mode == "smoke":
        config.name = "celeba_smoke"
        config.training = dict(
            steps=4,
            steps_per_call=2,
            log_every=2,
            picture_every=4,
            checkpoint_every=4,
        )
        config.evaluation.samples = 200
    return config
