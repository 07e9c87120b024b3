"""The reference's train step: the same updates as the project's, in PyTorch."""

import copy
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import swa_utils

from benchmarks import task
from benchmarks.task import Repeat, Setting
from benchmarks.torch_reference import NORM, InfoGAN
from infogan_jax.experiment import Experiment


def train_step(
    model: InfoGAN, exp: Experiment, mode: str = ""
) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """A function of bytes [batch, C, H, W]: moves D and Q, then G; their losses.

    Args:
      model: what is trained; it already lies on its device.
      exp: has the optimisers' numbers.
      mode: of torch.compile for the losses and the average; "" leaves it out.
    """
    flat = exp.flat
    betas = flat["optimiser.beta1"], flat["optimiser.beta2"]

    def adam(module: nn.Module, player: str) -> torch.optim.Optimizer:
        rate = flat[f"optimiser.{player}_learning_rate"]
        return torch.optim.Adam(module.parameters(), rate, betas, fused=True)

    def d_loss(images: Tensor) -> Tensor:
        return model.discriminator_loss(images, *model.sample(len(images)))

    def g_loss(images: Tensor) -> tuple[Tensor, Tensor]:
        codes, inputs = model.sample(len(images))
        return model.generator_loss(codes, inputs), inputs

    d_adam = adam(model.judges, "discriminator")
    g_adam = adam(model.generator, "generator")
    losses = [_compiled(loss, mode) for loss in (d_loss, g_loss)]
    decay = flat["optimiser.average_decay"]
    update = averaging(model, decay, mode)[0] if decay else None

    def step(images: Tensor) -> tuple[Tensor, Tensor]:
        d_value = _move(losses[0](images), d_adam)
        model.judges.requires_grad_(False)  # G's step needs none of their gradients
        loss, inputs = losses[1](images)
        g_value = _move(loss, g_adam)
        model.judges.requires_grad_(True)
        if update is not None:
            update(inputs)
        return d_value, g_value

    return step


def averaging(
    model: InfoGAN, decay: float, mode: str = ""
) -> tuple[Callable[[Tensor], None], nn.Sequential]:
    """A function of G's inputs that moves an average of G; and this average.

    The inputs go through it as far as the last batch norm, for its statistics.
    """
    average = copy.deepcopy(model.generator).requires_grad_(False)
    pair = list(average.parameters()), list(model.generator.parameters())
    length = 1 + max(i for i, part in enumerate(average) if isinstance(part, NORM))
    normed, steps = average[:length], itertools.count()

    def pass_on(inputs: Tensor) -> None:
        with model.precision():
            normed(inputs)

    pass_on = _compiled(pass_on, mode)

    @torch.no_grad()
    def update(inputs: Tensor) -> None:
        done = next(steps)
        rate = min(decay, (1 + done) / (10 + done))
        swa_utils.get_ema_multi_avg_fn(rate)(*pair, 0)
        pass_on(inputs)

    return update, average


def _compiled(function: Callable[..., Any], mode: str) -> Callable[..., Any]:
    return torch.compile(function, mode=mode) if mode else function


def _move(loss: Tensor, optimiser: torch.optim.Optimizer) -> Tensor:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    return loss.detach()


def steps(
    setting: Setting, device: str, mode: str = "", channels_last: bool = True
) -> Repeat:
    """The reference's step on data that lies on the device, in the project's order.

    Images and weights lie channels last in memory, as PyTorch recommends for
    convolutions, or as PyTorch makes them by itself.
    """
    form = torch.channels_last if channels_last else torch.contiguous_format
    torch.backends.cuda.matmul.allow_tf32 = setting.precision != "float32"
    torch.backends.cudnn.allow_tf32 = setting.precision != "float32"
    torch.backends.cudnn.benchmark = True
    exp = task.build(setting)
    noise_sd, mixed = exp.flat["objective.noise_sd"], setting.precision == "bfloat16"
    model = InfoGAN(exp.algorithm, noise_sd, mixed).to(device)
    model.to(memory_format=form)
    step, feed = train_step(model, exp, mode), exp.feed(0)
    calls = feed.calls(np.arange(setting.batch_size))
    images = torch.from_numpy(feed.resident).to(device)

    def call() -> None:
        for places in torch.from_numpy(next(calls)).to(device):
            step(images[places].permute(0, 3, 1, 2).contiguous(memory_format=form))
        if device == "cuda":
            torch.cuda.synchronize()

    return Repeat(call, exp.steps_per_call)
