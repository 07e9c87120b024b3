"""What is measured of a trained InfoGAN, each number with unit and protocol."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int, UInt8

from infogan_jax import encode, latents, losses, objective, traversals
from infogan_jax.algorithm import Algorithm
from infogan_jax.images import to_range
from infogan_jax.latents import Code, Latents, LatentSpec, Normal
from infogan_jax.metrics import clustering, information
from infogan_jax.state import TrainState

Categories = Int[np.ndarray, "n"]


@dataclass(frozen=True)
class Measure:
    """A number, its unit and how it was obtained."""

    value: float
    unit: str
    protocol: str


Measures = dict[str, Measure]


def mi_bounds(
    algorithm: Algorithm, state: TrainState, seed: int, count: int
) -> Measures:
    """L_I of every code on `count` fresh images of G, in nats.

    Q reads each image on its own (running averages), so that it is a function of
    the image and the number a lower bound of I(c; x). Where its sigma was fixed,
    sigma is refitted on one half of the images and used on the other.
    """
    spec = algorithm.spec
    drawn, painted = _generated(algorithm, state, seed, count)
    _, outputs = encode.judge(algorithm.nets, state.params, state.stats, painted)
    bounds = objective.mi_bounds(spec, jnp.asarray(outputs), drawn.codes)
    posterior = latents.unpack(spec, jnp.asarray(outputs))
    measures = {}
    for code in spec.codes:
        h, value = latents.entropy(code), float(bounds[code.name])
        protocol = f"H(c) + E[log Q(c|x)] on {count} generated images; H(c) = {h:.3f}"
        read = posterior[code.name]
        if isinstance(read, Normal) and spec.fixed_sd is not None:
            value = information.refitted_normal_bound(
                np.asarray(drawn.codes[code.name]), np.asarray(read.mean), h
            )
            protocol += ", sd fitted on the first half, E on the second"
        measures[f"mi_bound/{code.name}"] = Measure(value, "nat", protocol)
    return measures


def gan_bound(
    algorithm: Algorithm,
    state: TrainState,
    seed: int,
    pictures: UInt8[np.ndarray, "n height width channels"],
) -> Measures:
    """ln 2 + V/2 on held-out and as many generated images, in nats.

    D reads each image on its own, with the instance noise of the last step.
    """
    real = np.asarray(to_range(pictures, algorithm.nets.output_range))
    _, painted = _generated(algorithm, state, seed, len(real))
    sd = 0.0 if algorithm.noise_sd is None else float(algorithm.noise_sd(state.step))
    rng = np.random.default_rng(seed)

    def logits(x: Float[np.ndarray, "n height width channels"]) -> jnp.ndarray:
        noisy = x + np.float32(sd) * rng.standard_normal(x.shape, np.float32)
        return jnp.asarray(
            encode.judge(algorithm.nets, state.params, state.stats, noisy)[0]
        )

    bound = losses.jsd_bound(logits(real), logits(painted))
    protocol = (
        f"ln 2 + V/2 on {len(real)} held-out and as many generated images, instance "
        f"noise of sd {sd:g}"
    )
    return {"jsd_bound": Measure(float(bound), "nat", protocol)}


def _generated(
    algorithm: Algorithm, state: TrainState, seed: int, count: int
) -> tuple[Latents, Float[np.ndarray, "n height width channels"]]:
    drawn = traversals.draw(algorithm.spec, seed, count)
    return drawn, traversals.paint(
        algorithm.spec, algorithm.nets, state.sampling_params, state.stats, drawn
    )


def categories(
    algorithm: Algorithm,
    state: TrainState,
    pictures: UInt8[np.ndarray, "n height width channels"],
) -> dict[str, Categories]:
    """The most probable category of each image, for each categorical code."""
    posterior = encode.encode(
        algorithm.spec, algorithm.nets, state.params, state.stats, pictures
    )
    return {
        name: np.asarray(read.logits).argmax(axis=-1)
        for name, read in posterior.items()
        if not isinstance(read, Normal)
    }


def best_code(
    spec: LatentSpec, found: dict[str, Categories], labels: Categories
) -> Code:
    """The categorical code whose categories agree best with the labels."""

    def agreeing(code: Code) -> float:
        table = contingency(code, found[code.name], labels)
        return clustering.accuracy(found[code.name], labels, clustering.match(table))

    return max((code for code in spec.codes if code.name in found), key=agreeing)


def contingency(
    code: Code, found: Categories, labels: Categories
) -> Int[np.ndarray, "categories classes"]:
    """How many images fall into each pair of category and class."""
    return clustering.contingency(found, labels, code.size, int(labels.max()) + 1)


def agreement(
    code: Code,
    train: tuple[Int[np.ndarray, "train"], Int[np.ndarray, "train"]],
    test: tuple[Int[np.ndarray, "test"], Int[np.ndarray, "test"]],
) -> Measures:
    """How well a categorical code agrees with classes on held-out images.

    Args:
      code: the categorical code.
      train: its categories of the training images, and their labels.
      test: the same of the held-out images.
    """
    known = clustering.match(contingency(code, *train))
    rematched = clustering.match(contingency(code, *test))
    of = f"{code.name} of {len(test[0])} held-out images"
    hungarian = "matched one to one (Hungarian) on the"
    return {
        "accuracy_test": Measure(
            clustering.accuracy(*test, known),
            "share",
            f"{of}, {hungarian} labels of the {len(train[0])} training images",
        ),
        "accuracy_test_rematched": Measure(
            clustering.accuracy(*test, rematched),
            "share",
            f"{of}, {hungarian} held-out labels themselves, as the literature does",
        ),
        "accuracy_train": Measure(
            clustering.accuracy(*train, known),
            "share",
            f"{code.name} of {len(train[0])} training images, {hungarian} same labels",
        ),
        "nmi_test": Measure(
            clustering.nmi(*test), "share", f"{of}, arithmetic normalisation"
        ),
        "ari_test": Measure(clustering.ari(*test), "index", of),
    }
