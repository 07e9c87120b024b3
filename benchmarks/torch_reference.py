"""A plain PyTorch InfoGAN of the same networks and losses.

Codes, layers and ranges come from the project's own `Algorithm`; the rest is what a
PyTorch user would write. One thing differs, which takes no part in training: running
averages of batch norm see every batch here, as is PyTorch's way.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from infogan_jax.game.algorithm import Algorithm
from infogan_jax.model import latents, notation
from infogan_jax.model.layers import WEIGHT_SD, Stack
from infogan_jax.model.networks import Networks, Variables

LINEAR = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
NORM = (nn.BatchNorm1d, nn.BatchNorm2d)
Codes = dict[str, Tensor]


def stack(net: Stack, shape: tuple[int, ...]) -> tuple[nn.Sequential, tuple[int, ...]]:
    """The same layers on inputs of `shape`, (C, H, W) or (C,), and their output's."""
    modules: list[nn.Module] = []
    for layer in net.layers:
        features, bias = math.prod(layer.shape), not layer.norm
        if layer.kind == "fc":
            modules += [nn.Flatten(), nn.Linear(math.prod(shape), features, bias)]
            shape = (features,)
        else:
            if layer.stride != 2:
                raise ValueError(f"{layer}: padding here is for stride 2 alone")
            kind = nn.Conv2d if layer.kind == "conv" else nn.ConvTranspose2d
            scale = 0.5 if layer.kind == "conv" else 2
            modules.append(kind(shape[0], features, 4, 2, 1, bias=bias))
            shape = (features, *(int(side * scale) for side in shape[1:]))
        if layer.norm:
            modules.append(NORM[len(shape) > 1](features, eps=1e-5, momentum=0.1))
        modules += _activation(layer.activation, net.slope)
        if len(layer.shape) == 3:
            height, width, channels = layer.shape
            shape = (channels, height, width)
            modules.append(nn.Unflatten(1, shape))
    return nn.Sequential(*modules), shape


def _activation(name: str, slope: float) -> list[nn.Module]:
    known = {
        "relu": nn.ReLU(),
        "lrelu": nn.LeakyReLU(slope),
        "sigmoid": nn.Sigmoid(),
        "tanh": nn.Tanh(),
    }
    return [known[name]] if name else []


def parameters(nets: Networks, params: Variables) -> list[np.ndarray]:
    """The project's parameters, or gradients, as those of an `InfoGAN`: in its order
    and layout.
    """
    trunk, head = nets.discriminator.trunk, nets.discriminator.head
    features = notation.follow(tuple(trunk.layers), nets.image_shape, "")
    judges = params["discriminator"]
    assert nets.recognition is not None
    return [
        *_parameters(nets.generator, params["generator"], (nets.input_size,)),
        *_parameters(trunk, judges["trunk"], nets.image_shape),
        *_parameters(head, judges["head"], features),
        *_parameters(nets.recognition, params["recognition"], features),
    ]


def _parameters(
    net: Stack, tree: Mapping[str, Any], shape: tuple[int, ...]
) -> list[np.ndarray]:
    arrays = []
    for position, layer in enumerate(net.layers):
        linear = tree[f"{layer.kind}_{position}"]
        kernel = np.asarray(linear["kernel"])
        order = _channels_first(layer.shape)
        if layer.kind == "fc":
            arrays.append(kernel[_channels_first(shape)][:, order].T)
        elif layer.kind == "conv":
            arrays.append(kernel.transpose(3, 2, 0, 1))
        else:
            arrays.append(kernel[::-1, ::-1].transpose(2, 3, 0, 1))
        norm = tree.get(f"norm_{position}")
        vectors = [norm["scale"], norm["bias"]] if norm else [linear["bias"]]
        arrays += [np.asarray(vector)[order] for vector in vectors]
        shape = notation.follow((layer,), shape, "")
    return arrays


def _channels_first(shape: tuple[int, ...]) -> np.ndarray:
    """Where each element of a flat (C, H, W) lies in a flat (H, W, C)."""
    places = np.arange(math.prod(shape)).reshape(shape)
    return np.moveaxis(places, -1, 0).reshape(-1)


class InfoGAN(nn.Module):
    """G, D and Q, and the two players' losses."""

    log_floor: Tensor

    def __init__(
        self, algorithm: Algorithm, noise_sd: float = 0.0, mixed: bool = False
    ) -> None:
        """Builds the networks.

        Args:
          algorithm: the project's codes and networks.
          noise_sd: of the instance noise, which stays as it is.
          mixed: whether they run in bfloat16 where PyTorch thinks it safe.
        """
        super().__init__()
        nets, self.spec = algorithm.nets, algorithm.spec
        self.noise_sd, self.mixed = noise_sd, mixed
        self.low, self.high = nets.output_range
        height, width, channels = nets.image_shape
        judge = nets.discriminator
        self.generator, _ = stack(nets.generator, (nets.input_size,))
        self.trunk, features = stack(judge.trunk, (channels, height, width))
        self.head, _ = stack(judge.head, features)
        assert nets.recognition is not None
        self.recognition, _ = stack(nets.recognition, features)
        self.judges = nn.ModuleList([self.trunk, self.head, self.recognition])
        floor = torch.tensor(math.log(self.spec.sd_floor))
        self.register_buffer("log_floor", floor)
        self.apply(_initialise)

    def sample(self, count: int) -> tuple[Codes, Tensor]:
        """Codes by name, and G's packed input."""
        codes, parts, device = {}, [], self.log_floor.device
        for code in self.spec.codes:
            if code.is_categorical:
                drawn = torch.randint(code.size, (count,), device=device)
                parts.append(F.one_hot(drawn, code.size).float())
            else:
                drawn = self._draw(code.kind, count)
                parts.append(drawn[:, None])
            codes[code.name] = drawn
        noise = self._draw(self.spec.noise_kind, count, self.spec.noise_size)
        return codes, torch.cat([*parts, noise], 1)

    def _draw(self, kind: str, *shape: int) -> Tensor:
        device = self.log_floor.device
        if kind == "gaussian":
            return torch.randn(shape, device=device)
        return torch.rand(shape, device=device) * 2 - 1

    def discriminator_loss(
        self, images: Tensor, codes: Codes, inputs: Tensor
    ) -> Tensor:
        """The loss of D and Q on bytes [batch, C, H, W] and on generated images."""
        real = images.float() * ((self.high - self.low) / 255) + self.low
        with self.precision():
            with torch.no_grad():
                generated = self._blur(self.generator(inputs))
            real_logits = self.head(self.trunk(self._blur(real)))
            logits, outputs = self._judge(generated)
            gan = F.softplus(-real_logits).mean() + F.softplus(logits).mean()
            return gan - self._information(outputs, codes)

    def generator_loss(self, codes: Codes, inputs: Tensor) -> Tensor:
        """The loss of G."""
        with self.precision():
            logits, outputs = self._judge(self._blur(self.generator(inputs)))
            return F.softplus(-logits).mean() - self._information(outputs, codes)

    def precision(self) -> torch.autocast:
        """Runs what it encloses in bfloat16, if the networks do."""
        kind = self.log_floor.device.type
        return torch.autocast(kind, torch.bfloat16, enabled=self.mixed)

    def _blur(self, images: Tensor) -> Tensor:
        """Instance noise."""
        if not self.noise_sd:
            return images
        return images + self.noise_sd * torch.randn_like(images)

    def _judge(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.trunk(images)
        return self.head(features), self.recognition(features).float()

    def _information(self, outputs: Tensor, codes: Codes) -> Tensor:
        """sum_i lambda_i L_I(c_i) (paper, equation 5)."""
        total, start = outputs.new_zeros(()), 0
        for code in self.spec.codes:
            drawn = codes[code.name]
            if code.is_categorical:
                logits = outputs[:, start : start + code.size]
                log_prob = -F.cross_entropy(logits, drawn)
                start += code.size
            else:
                mean, log_sd = outputs[:, start], self._log_sd(outputs, start + 1)
                error = (drawn - mean) * torch.exp(-log_sd)
                log_prob = (-0.5 * error**2 - log_sd).mean() - math.log(math.tau) / 2
                start += 1 if self.spec.fixed_sd else 2
            total = total + code.weight * (latents.entropy(code) + log_prob)
        return total

    def _log_sd(self, outputs: Tensor, place: int) -> Tensor:
        if self.spec.fixed_sd:
            return torch.full_like(outputs[:, 0], math.log(self.spec.fixed_sd))
        return torch.logaddexp(outputs[:, place], self.log_floor)


def _initialise(module: nn.Module) -> None:
    """N(0, 0.02^2) for weights and N(1, 0.02^2) for scales, as in the project."""
    if isinstance(module, LINEAR + NORM):
        nn.init.normal_(module.weight, float(isinstance(module, NORM)), WEIGHT_SD)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
