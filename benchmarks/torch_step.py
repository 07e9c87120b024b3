"""The reference's train step: the same updates as the project's, in PyTorch."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import task
from benchmarks.task import Repeat, Setting
from benchmarks.torch_reference import InfoGAN
from infogan_jax.experiment import Experiment


def train_step(
    model: InfoGAN, exp: Experiment, mode: str = ""
) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """A function of bytes [batch, C, H, W]: moves D and Q, then G; their losses.

    Args:
      model: what is trained; it already lies on its device.
      exp: has the optimisers' numbers.
      mode: of torch.compile for the two losses; "" leaves it out.
    """
    flat = exp.flat
    betas = flat["optimiser.beta1"], flat["optimiser.beta2"]

    def adam(module: nn.Module, player: str) -> torch.optim.Optimizer:
        rate = flat[f"optimiser.{player}_learning_rate"]
        return torch.optim.Adam(module.parameters(), rate, betas, fused=True)

    def d_loss(images: Tensor) -> Tensor:
        return model.discriminator_loss(images, *model.sample(len(images)))

    def g_loss(images: Tensor) -> Tensor:
        return model.generator_loss(*model.sample(len(images)))

    d_adam = adam(model.judges, "discriminator")
    g_adam = adam(model.generator, "generator")
    losses = [torch.compile(f, mode=mode) if mode else f for f in (d_loss, g_loss)]

    def step(images: Tensor) -> tuple[Tensor, Tensor]:
        d_value = _move(losses[0](images), d_adam)
        model.judges.requires_grad_(False)  # G's step needs none of their gradients
        g_value = _move(losses[1](images), g_adam)
        model.judges.requires_grad_(True)
        return d_value, g_value

    return step


def _move(loss: Tensor, optimiser: torch.optim.Optimizer) -> Tensor:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()
    return loss.detach()


def steps(setting: Setting, device: str, mode: str = "") -> Repeat:
    """The reference's step on data that lies on the device, in the project's order.

    Images and weights lie channels last in memory, which PyTorch recommends for
    convolutions and which was the faster way on CPUs.
    """
    torch.backends.cuda.matmul.allow_tf32 = setting.precision != "float32"
    torch.backends.cudnn.allow_tf32 = setting.precision != "float32"
    torch.backends.cudnn.benchmark = True
    exp = task.build(setting)
    noise_sd, mixed = exp.flat["objective.noise_sd"], setting.precision == "bfloat16"
    model = InfoGAN(exp.algorithm, noise_sd, mixed).to(device)
    step, feed = train_step(model, exp, mode), exp.feed(0)
    calls = feed.calls(np.arange(setting.batch_size))
    model.to(memory_format=torch.channels_last)
    images = torch.from_numpy(feed.resident).to(device)

    def call() -> None:
        for places in torch.from_numpy(next(calls)).to(device):
            step(images[places].permute(0, 3, 1, 2))
        if device == "cuda":
            torch.cuda.synchronize()

    return Repeat(call, exp.steps_per_call)
