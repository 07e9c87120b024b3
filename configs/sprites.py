"""InfoGAN with spectral norm on dSprites' factors: 64x64, gray.

The later recipe, not that of Chen et al. 2016: five U(-1, 1) codes and five noise
variables, so 10 inputs of G; D and Q with spectral norm and without batch norm;
Q's standard deviation fixed at 1, lambda 0.05, and 288,000 steps.

    python train.py --config=configs/sprites.py         # the recipe, on all images
    python train.py --config=configs/sprites.py:smoke   # a few steps, 3,072 images

The InfoGAN-CR paper (Lin et al. 2020) reports for it, over 50 runs, a FactorVAE
score of 0.82 and a MIG of 0.22, where the InfoGAN of 2016 has 0.59 and 0.05; three
seeds of this file had 0.82 +- 0.10 and 0.36 +- 0.12 after 138,600 steps
(docs/results.md). Its images were the original binary ones; these are drawn by
infogan_jax/data/sprites.py with gray edges, once, into 3 GB at config.data.directory
("" is the user's cache).

A leaky slope of 0.1, uniform noise and beta2 of 0.999 are as in the other configs,
not known to be that paper's.
"""

import ml_collections


def get_config(mode: str = "paper") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is `paper` or `smoke`."""
    if mode not in ("paper", "smoke"):
        raise ValueError(f"configs/sprites.py:{mode}: the mode must be paper or smoke")
    config = ml_collections.ConfigDict()
    config.name = "sprites"
    config.seed = 0
    config.data = dict(
        source="sprites",
        name="",
        directory="",
        crop=0,
        size=0,
        channels=0,
        labels=False,
        held_out=0.1,
        stream=False,
        batch_size=64,
    )
    config.latents = dict(
        codes="5 x uniform @ 0.05",
        noise_size=5,
        noise_kind="uniform",
        fixed_sd=1.0,
        sd_floor=0.1,  # not used: the standard deviation is fixed
    )
    config.networks = dict(
        generator=(
            "fc 128 bn relu, fc 4x4x64 bn relu, upconv 64 s2 bn relu, "
            "upconv 32 s2 bn relu, upconv 32 s2 bn relu, upconv 1 s2 sigmoid"
        ),
        trunk=(
            "conv 32 s2 lrelu, conv 32 s2 lrelu, conv 64 s2 lrelu, "
            "conv 64 s2 lrelu, fc 128 lrelu"
        ),
        recognition="",
        lrelu_slope=0.1,
        spectral_norm=True,
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
        discriminator_learning_rate=2e-3,
        generator_learning_rate=1e-3,
        beta1=0.5,
        beta2=0.999,
        average_decay=0.0,
    )
    config.training = dict(
        steps=288_000,
        steps_per_call=25,
        log_every=500,
        picture_every=10_000,
        checkpoint_every=5000,
    )
    config.evaluation = dict(samples=10_000)
    if mode == "smoke":
        config.name = "sprites_smoke"
        config.data.name = "small"
        config.training = dict(
            steps=4,
            steps_per_call=2,
            log_every=2,
            picture_every=4,
            checkpoint_every=4,
        )
        config.evaluation.samples = 200
    return config
