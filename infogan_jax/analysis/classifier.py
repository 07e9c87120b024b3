"""A small classifier of real images, used to evaluate generated images.

It is trained on the labels of the data; or, without labels, to tell how far an image
was rotated (Gidaris et al. 2018). Generated and real images are compared in the
features of its last hidden layer; its predictions show which classes G generates. Its
products are float32 on every platform, so that its figures compare between platforms.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax
from jaxtyping import Array, Float, Int, UInt8
from scipy.special import softmax

from infogan_jax.analysis.encode import apply_in_batches
from infogan_jax.data import batches
from infogan_jax.data.scaling import to_range
from infogan_jax.model import notation
from infogan_jax.model.layers import Layer, Stack, draw_weights
from infogan_jax.model.networks import Variables
from infogan_jax.model.random_keys import root_key

LAYERS = "conv 32 s2 bn relu, conv 64 s2 bn relu, fc 128 bn relu"
BATCH_SIZE = 128
LEARNING_RATE = 2e-3
STEPS = 600
RANGE = (0.0, 1.0)
LARGEST = 2**28
"""Bytes of rotated images."""

Stacks = tuple[Stack, Stack]
"""The hidden layers, and the linear map from features to logits."""

Params = tuple[Variables, Variables]
"""The parameters of the hidden layers, and those of the linear map."""


@dataclass(frozen=True)
class Classifier:
    """A trained classifier; `stats` are the batch-norm averages of its hidden layers.

    The averages are used for every image, so its outputs do not depend on other images.
    """

    stacks: Stacks
    params: Params
    stats: Variables

    def features(
        self, images: UInt8[np.ndarray, "n height width channels"]
    ) -> Float[np.ndarray, "n features"]:
        """Returns the last hidden layer."""
        return self._apply(images)[0]

    def predict(
        self, images: UInt8[np.ndarray, "n height width channels"]
    ) -> Int[np.ndarray, "n"]:
        """Returns the most probable class."""
        return self._apply(images)[1].argmax(axis=-1)

    def probabilities(
        self, images: UInt8[np.ndarray, "n height width channels"]
    ) -> Float[np.ndarray, "n classes"]:
        """Returns the probability of each class."""
        return softmax(self._apply(images)[1].astype(np.float64), axis=-1)

    def _apply(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        apply = partial(_features_and_logits, self.stacks, self.params, self.stats)
        features, logits = zip(*apply_in_batches(apply, images), strict=True)
        return np.concatenate(features), np.concatenate(logits)


def rotations(
    images: UInt8[np.ndarray, "n height width channels"],
) -> tuple[UInt8[np.ndarray, "m height width channels"], Int[np.ndarray, "m"]]:
    """Returns images turned by 0, 90, 180 and 270 degrees, and by how many quarters.

    Images that are not square are turned by 0 and 180 degrees. As many of the images
    are turned as give 256 MiB, a random choice of them.
    """
    is_square = images.shape[1] == images.shape[2]
    quarters = (0, 1, 2, 3) if is_square else (0, 2)
    count = max(LARGEST // (images[:1].nbytes * len(quarters)), 1)
    if len(images) > count:
        rows = np.random.default_rng(0).permutation(len(images))[:count]
        images = images[np.sort(rows)]
    turned = [np.rot90(images, each, (1, 2)) for each in quarters]
    turns = np.arange(len(quarters)).repeat(len(turned[0]))
    return np.concatenate(turned), turns


def train_classifier(
    images: UInt8[np.ndarray, "n height width channels"],
    labels: Int[np.ndarray, "n"],
    seed: int = 0,
    steps: int = STEPS,
    layers: str = LAYERS,
) -> Classifier:
    """Trains a classifier with cross entropy, Adam and a cosine learning rate.

    The result is a pure function of the arguments. Labels are classes from 0 on. `seed`
    decides the first weights and the order of images (`batches`), a step has a batch of
    128 images, and `layers` are the hidden layers in the notation of a config.
    """
    hidden = notation.parse_layers(layers, "layers")
    stacks = (Stack(hidden), Stack((Layer("fc", (int(labels.max()) + 1,)),)))
    order = batches.indices(seed, 0, steps, BATCH_SIZE, len(images))
    classes = labels.astype(np.int32)
    params, stats = _fit(stacks, jnp.uint32(seed), images, classes, order)
    return Classifier(stacks, params, stats)


@partial(jax.jit, static_argnums=0)
@jax.default_matmul_precision("highest")
def _fit(
    stacks: Stacks,
    seed: Array,
    images: UInt8[Array, "n height width channels"],
    labels: Int[Array, "n"],
    order: Int[Array, "steps batch"],
) -> tuple[Params, Variables]:
    hidden, last = stacks
    optimiser = optax.adam(optax.cosine_decay_schedule(LEARNING_RATE, len(order)))

    def loss(params: Params, stats: Variables, batch: Array) -> tuple[Array, Variables]:
        variables = {"params": params[0], "batch_stats": stats}
        x = to_range(images[batch], RANGE)
        features, updated = hidden.apply(variables, x, True, mutable=["batch_stats"])
        logits: Any = last.apply({"params": params[1]}, features, True)
        losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels[batch])
        return losses.mean(), updated.get("batch_stats", {})

    def step(state: Any, batch: Array) -> tuple[Any, None]:
        params, stats, opt_state = state
        grads, stats = jax.grad(loss, has_aux=True)(params, stats, batch)
        updates, opt_state = optimiser.update(grads, opt_state)
        return (optax.apply_updates(params, updates), stats, opt_state), None

    params, stats = _init(stacks, seed, to_range(images[:2], RANGE))
    state = (params, stats, optimiser.init(params))
    (params, stats, _), _ = lax.scan(step, state, order)
    return params, stats


def _init(stacks: Stacks, seed: Array, x: Array) -> tuple[Params, Variables]:
    hidden, last = stacks
    key = root_key(seed, "classifier")
    variables = hidden.init(key, x, False)
    features = hidden.apply(variables, x, False)
    params = (variables["params"], last.init(key, features, False)["params"])
    return draw_weights(params, key), variables.get("batch_stats", {})


@partial(jax.jit, static_argnums=0)
@jax.default_matmul_precision("highest")
def _features_and_logits(
    stacks: Stacks,
    params: Params,
    stats: Variables,
    images: UInt8[Array, "n height width channels"],
) -> tuple[Float[Array, "n features"], Float[Array, "n classes"]]:
    hidden, last = stacks
    variables = {"params": params[0], "batch_stats": stats}
    features: Any = hidden.apply(variables, to_range(images, RANGE), False)
    logits: Any = last.apply({"params": params[1]}, features, False)
    return features, logits
