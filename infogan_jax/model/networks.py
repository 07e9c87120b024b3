"""Builds G, D and Q from lists of layers, as the paper's tables print them.

There are three modules: the generator, the discriminator (the shared trunk and D's
head) and the recognition head Q on the trunk's features. Their parameters are three
trees, because G's optimiser, D's loss and the mutual-information bound each update
different ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax.traverse_util import flatten_dict, unflatten_dict
from jax import lax
from jaxtyping import Array, Float, Key

from infogan_jax.errors import UserError
from infogan_jax.model import notation
from infogan_jax.model.convolutions import Images
from infogan_jax.model.layers import OUTPUT_RANGES, Layer, Stack, draw_weights

MODULES = ("generator", "trunk", "recognition")

Modules = Mapping[str, nn.Module]
"""A user's own, by the names in `MODULES`."""

Variables = Mapping[str, Any]
"""`generator`, `discriminator` and `recognition`, each with a tree of arrays."""


class Discriminator(nn.Module):
    """The shared trunk and D's head: images -> (D's outputs, features)."""

    trunk: nn.Module
    head: Stack

    def __call__(
        self, images: Images, train: bool
    ) -> tuple[Float[Array, "batch *d"], Array]:
        features = self.trunk(images, train)
        outputs = self.head(features, train)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs, features


class Recognition(nn.Module):
    """A user's own hidden layers of Q, and its last linear map."""

    hidden: nn.Module
    head: Stack

    def __call__(self, features: Array, train: bool) -> Float[Array, "batch outputs"]:
        return self.head(self.hidden(features, train), train)


@dataclass(frozen=True)
class Networks:
    """The three modules; their `apply` is a pure function of variables and input.

    Attributes:
      generator: packed latents [batch, inputs] -> images in `output_range`.
      discriminator: images -> (D's outputs, trunk features). The outputs are the
        logits [batch] of "real", or [batch, outputs] in a game that wants several.
      recognition: trunk features -> Q's outputs [batch, outputs]; None without codes.
      input_size: the length of G's input vector.
      image_shape: (height, width, channels).
      output_range: the range of the images, given by G's last activation.
    """

    generator: nn.Module
    discriminator: Discriminator
    recognition: nn.Module | None
    input_size: int
    image_shape: tuple[int, int, int]
    output_range: tuple[float, float]


def build(
    *,
    generator: Sequence[Layer],
    trunk: Sequence[Layer],
    recognition: Sequence[Layer],
    input_size: int,
    output_size: int,
    image_shape: tuple[int, int, int],
    slope: float = 0.1,
    spectral_norm: bool = False,
    precision: str = "float32",
    d_size: int = 1,
) -> Networks:
    """Returns the networks; the output layers of D and Q are added here.

    Args:
      generator: layers from G's input to images; the last activation, sigmoid or
        tanh, fixes the range of all images.
      trunk: layers that D and Q share.
      recognition: Q's own hidden layers; none makes Q one linear map of the features.
      input_size: the length of G's input vector.
      output_size: the length of Q's output; 0 (no codes) leaves Q out.
      image_shape: (height, width, channels).
      slope: of the leaky ReLU.
      spectral_norm: whether D and Q use spectral normalisation.
      precision: `float32` or `bfloat16`, the type of the activations.
      d_size: the number of D's outputs.
    """
    stack = partial(Stack, slope=slope, dtype=jnp.dtype(precision))
    normed = partial(stack, spectral_norm=spectral_norm)
    q_layers = (*recognition, Layer("fc", (output_size,)))
    return Networks(
        generator=stack(tuple(generator)),
        discriminator=Discriminator(
            normed(tuple(trunk), is_head=False), normed((Layer("fc", (d_size,)),))
        ),
        recognition=normed(q_layers) if output_size else None,
        input_size=input_size,
        image_shape=image_shape,
        output_range=OUTPUT_RANGES[generator[-1].activation],
    )


def with_modules(networks: Networks, modules: Modules) -> Networks:
    """Returns the networks with a user's own modules in place of some of the lists.

    A module is called as `module(x, train)`, as any Flax module with batch norm is. It
    keeps the first weights that it draws itself. If it has a field `axis_name`, it
    gets the name of the device axis over which its batch norm is to average. Random
    numbers in `apply`, as of dropout, are not available.

    Args:
      networks: of the config, whose image shape and range stay.
      modules: `generator` (packed latents -> images), `trunk` (images -> features) and
        `recognition` (features -> features, before Q's last linear map).

    Raises:
      UserError: for another name, or a generator of images of another shape.
    """
    for name in modules:
        if name not in MODULES:
            raise UserError(f"modules (={name!r}) must be among {', '.join(MODULES)}.")
    d, q = networks.discriminator, networks.recognition
    if trunk := modules.get("trunk"):
        networks = replace(networks, discriminator=Discriminator(trunk, d.head))
    if (hidden := modules.get("recognition")) and isinstance(q, Stack):
        head = q.clone(layers=q.layers[-1:])
        networks = replace(networks, recognition=Recognition(hidden, head))
    if generator := modules.get("generator"):
        shape = output_shape(generator, (networks.input_size,))
        if shape != networks.image_shape:
            raise UserError(
                f"modules['generator'] makes images of shape {shape}, but "
                f"those of config.networks.generator have {networks.image_shape}; "
                "change either."
            )
        networks = replace(networks, generator=generator)
    return networks


def output_shape(module: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the shape of a module's output for one input of `shape`."""
    if isinstance(module, Stack):
        return notation.follow(tuple(module.layers), shape, "layers")
    inputs = jax.ShapeDtypeStruct((2, *shape), jnp.float32)
    key = jax.eval_shape(lambda: jax.random.key(0))
    run = partial(module.init_with_output, train=True)
    output, _ = jax.eval_shape(run, key, inputs)
    return output.shape[1:]


def with_sync_batch_norm(networks: Networks, axis: str | None) -> Networks:
    """Returns the networks with batch statistics averaged over a device axis."""
    return _clone(networks, axis_name=axis)


def with_matmul_convolutions(networks: Networks) -> Networks:
    """Returns the networks with matrix products for convolutions on every platform.

    The results are the same up to rounding. A step mapped over several networks then
    has no grouped convolutions.
    """
    return _clone(networks, lowering="matmul")


def portable(networks: Networks) -> Networks:
    """Returns the networks for other frameworks: plain convolutions, all in float32.

    The results are the same up to rounding.
    """
    return _clone(networks, lowering="plain", dtype=jnp.float32)


def _clone(networks: Networks, **changed: Any) -> Networks:
    """Changes fields of all modules that have them."""

    def clone(module: nn.Module) -> nn.Module:
        own = {name: value for name, value in changed.items() if hasattr(module, name)}
        for name in ("trunk", "hidden", "head"):
            if isinstance(part := getattr(module, name, None), nn.Module):
                own[name] = clone(part)
        return module.clone(**own) if own else module

    modules: dict[str, Any] = {
        name: clone(module)
        for name in ("generator", "discriminator", "recognition")
        if (module := getattr(networks, name)) is not None
    }
    return replace(networks, **modules)


def init(networks: Networks, key: Key[Array, ""]) -> tuple[Variables, Variables]:
    """Draws the parameters and the first batch statistics of all three networks.

    What the networks compute on the way is not used, so it has few operations.
    """
    networks = _clone(networks, lowering="plain")
    g_key, d_key, q_key, weights_key = jax.random.split(key, 4)
    inputs = jnp.zeros((2, networks.input_size))
    images = jnp.zeros((2, *networks.image_shape))
    variables = {
        "generator": networks.generator.init(g_key, inputs, train=False),
        "discriminator": networks.discriminator.init(d_key, images, train=False),
    }
    if networks.recognition is not None:
        _, features = networks.discriminator.apply(
            variables["discriminator"], images, train=False
        )
        variables["recognition"] = networks.recognition.init(
            q_key, features, train=False
        )
    params = {name: tree["params"] for name, tree in variables.items()}
    stats = {name: tree.get("batch_stats", {}) for name, tree in variables.items()}
    flat = flatten_dict(params)
    drawn = {path: leaf for path, leaf in flat.items() if _is_drawn(networks, path)}
    drawn = flatten_dict(draw_weights(unflatten_dict(drawn), weights_key))
    return unflatten_dict({**flat, **drawn}), stats


def _is_drawn(networks: Networks, path: tuple[str, ...]) -> bool:
    """Whether a parameter belongs to a list of layers, not to a user's own module."""
    module: Any = getattr(networks, path[0])
    return isinstance(module, Stack) or isinstance(getattr(module, path[1], 0), Stack)


def generate(
    networks: Networks,
    params: Variables,
    stats: Variables,
    inputs: Float[Array, "batch inputs"],
    *,
    train: bool,
) -> tuple[Images, Variables]:
    """Returns G's images of packed latents, and G's updated statistics.

    Batch norm uses the statistics of this batch if `train`, else the running averages.
    """
    return _apply(networks.generator, "generator", params, stats, inputs, train)


def discriminate(
    networks: Networks,
    params: Variables,
    stats: Variables,
    images: Images,
    *,
    train: bool,
    info_to_trunk: bool = True,
) -> tuple[Float[Array, "batch *d"], Float[Array, "batch outputs"], Array, Variables]:
    """Returns D's outputs, Q's outputs, the trunk's features, and updated statistics.

    Without `info_to_trunk` no gradient passes from Q's outputs to the trunk.
    """
    (logits, features), new_stats = _apply(
        networks.discriminator, "discriminator", params, stats, images, train
    )
    if networks.recognition is None:
        return logits, jnp.zeros((images.shape[0], 0)), features, new_stats
    of_q = features if info_to_trunk else lax.stop_gradient(features)
    outputs, new_stats = _apply(
        networks.recognition, "recognition", params, new_stats, of_q, train
    )
    return logits, outputs, features, new_stats


def _apply(
    module: nn.Module,
    name: str,
    params: Variables,
    stats: Variables,
    x: Array,
    train: bool,
) -> tuple[Any, Variables]:
    variables = {"params": params[name], "batch_stats": stats[name]}
    y, updated = module.apply(variables, x, train, mutable=["batch_stats"])
    return y, {**stats, name: updated.get("batch_stats", {})}
