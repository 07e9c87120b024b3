"""InfoGAN on MNIST: 28x28 gray digits (Chen et al. 2016, table 1).

One Cat(10) code, meant to become the digit, and two U(-1, 1) codes, meant to
become rotation and width; 62 noise variables, so 74 inputs of G; lambda 1.

    python train.py --config=configs/mnist.py           # the paper's recipe
    python train.py --config=configs/mnist.py:smoke     # a few steps of the same

The paper shows L_I of the Cat(10) code above 2 of 2.303 nats after some 30 steps,
and reports 5 % error of the categories, matched to digits, as a classifier. L_I is
full long before the categories are digits, and seeds differ: run several.

Beyond the paper, from the authors' program: 5,000 steps, uniform noise, and Q's
standard deviation fixed at 1, with which at most -0.226 nat of a continuous code
can be certified. That program's leaky slope of 0.01 gives way to the paper's 0.1.
The data comes from tfds into config.data.directory ("" is tfds's default).
"""

import ml_collections


def get_config(mode: str = "paper") -> ml_collections.ConfigDict:
    """Returns the experiment; `mode` is `paper` or `smoke`."""
    if mode not in ("paper", "smoke"):
        raise ValueError(f"configs/mnist.py:{mode}: the mode must be paper or smoke")
    config = ml_collections.ConfigDict()
    config.name = "mnist"
    config.seed = 0
    config.data = dict(
        source="tfds",
        name="mnist",
        directory="",
        crop=0,
        size=0,
        channels=0,
        labels=False,
        held_out=0.1,
        stream=False,
        batch_size=128,
    )
    config.latents = dict(
        codes="categorical(10), 2 x uniform",
        noise_size=62,
        noise_kind="uniform",
        fixed_sd=1.0,
        sd_floor=0.1,  # not used: the standard deviation is fixed
    )
    config.networks = dict(
        generator=(
            "fc 1024 bn relu, fc 7x7x128 bn relu, upconv 64 s2 bn relu, "
            "upconv 1 s2 sigmoid"
        ),
        trunk="conv 64 s2 lrelu, conv 128 s2 bn lrelu, fc 1024 bn lrelu",
        recognition="fc 128 bn lrelu",
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
        weight=0.0, rotation=0.0, shear=0.0, scale=0.0, shift=0.0
    )
    config.optimiser = dict(
        discriminator_learning_rate=2e-4,
        generator_learning_rate=1e-3,
        beta1=0.5,
        beta2=0.999,
        average_decay=0.0,
    )
    config.training = dict(
        steps=5000,
        steps_per_call=25,
        log_every=100,
        picture_every=1000,
        checkpoint_every=500,
    )
    config.evaluation = dict(samples=10_000)
    if mode == "smoke":
        config.name = "mnist_smoke"
        config.training = dict(
            steps=4,
            steps_per_call=2,
            log_every=2,
            picture_every=4,
            checkpoint_every=4,
        )
        config.evaluation.samples = 200
    return config
