"""The floor of a step: its usual matrix products, at the speed of a large one.

A step can lie below it: Karatsuba's rule leaves out 7 of 16 products.
"""

import math

from infogan_jax.game.algorithm import Algorithm
from infogan_jax.model import notation
from infogan_jax.model.layers import KERNEL_SIZE, Stack

PRODUCT_SIDE = 4096
PRODUCT_OPERATIONS = 2 * PRODUCT_SIDE**3


def multiply_adds(net: Stack, shape: tuple[int, ...]) -> list[int]:
    """Multiply-adds of each layer for one input of `shape`, (H, W, C) or (C,).

    Every tap of a kernel counts, also on the padding.
    """
    counts = []
    for layer in net.layers:
        following = notation.follow((layer,), shape, "")
        if layer.kind == "fc":
            counts.append(math.prod(shape) * math.prod(following))
        else:
            height, width = (following if layer.kind == "conv" else shape)[:2]
            channels, features = shape[-1], following[-1]
            counts.append(height * width * KERNEL_SIZE**2 * channels * features)
        shape = following
    return counts


def operations(algorithm: Algorithm, batch_size: int) -> int:
    """Operations of a step's matrix products, two for each multiply-add.

    A pass forward costs n multiply-adds a layer; backward n for the gradient of its
    weights and n for that of its input. D's step: G forward; trunk and D's head on
    two batches, Q on one, forward and backward; the images need no gradient. G's
    step: G forward and backward, its input needs no gradient; D and Q forward and
    backward without weights. An average of G needs batch statistics, so all of its
    layers but the last go forward once more.
    """
    nets = algorithm.nets
    assert nets.recognition is not None
    discriminator = nets.discriminator
    features = notation.follow(tuple(discriminator.trunk.layers), nets.image_shape, "")
    generator = multiply_adds(nets.generator, (nets.input_size,))
    trunk = multiply_adds(discriminator.trunk, nets.image_shape)
    head = multiply_adds(discriminator.head, features)
    q = multiply_adds(nets.recognition, features)
    d, dq = sum(trunk + head), sum(trunk + head + q)
    d_step = sum(generator) + 3 * (d + dq) - 2 * trunk[0]
    g_step = 3 * sum(generator) - generator[0] + 2 * dq
    averaging = sum(generator[:-1]) if algorithm.average_decay else 0
    return 2 * batch_size * (d_step + g_step + averaging)
