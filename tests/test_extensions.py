"""What a user's program adds: images, networks, a loss and a kind of code."""

import math
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.special import i0e
from scipy import integrate

import infogan_jax
from infogan_jax import Extensions, Term, training
from infogan_jax.data.dataset import Dataset, Split
from infogan_jax.errors import UserError
from infogan_jax.experiment import build
from infogan_jax.model import latents
from infogan_jax.model.code_kinds import KINDS, ContinuousKind

RNG = np.random.default_rng(0)
SPLIT = Split(RNG.integers(0, 256, (40, 8, 8, 1), np.uint8))
MINE = Dataset(SPLIT, SPLIT, {"name": "mine", "test_is_held_out": False})


class Residual(nn.Module):
    """A trunk with a skip connection, which a list of layers cannot describe."""

    features: int = 16

    @nn.compact
    def __call__(self, x, train):
        x = nn.Dense(self.features)(x.reshape(x.shape[0], -1))
        norm = nn.BatchNorm(use_running_average=not train, momentum=0.9)
        return x + nn.Dense(self.features)(nn.relu(norm(x)))


class Picture(nn.Module):
    """A generator with a first weight of its own: every pixel starts at 1/2."""

    shape: tuple[int, ...] = (8, 8, 1)

    @nn.compact
    def __call__(self, x, train):
        y = nn.Dense(math.prod(self.shape), kernel_init=nn.initializers.zeros)(x)
        return nn.sigmoid(y).reshape(x.shape[0], *self.shape)


def roughness(view):
    """The mean difference of one row and the next, which G is to make small."""
    value = jnp.mean(jnp.abs(jnp.diff(view.generated.images, axis=1)))
    return -value, {"roughness": value}


class VonMises(NamedTuple):
    mean: jax.Array
    log_sd: jax.Array

    def log_prob(self, value):
        k = jnp.exp(-2 * self.log_sd)
        return k * (jnp.cos(value - self.mean) - 1) - jnp.log(2 * math.pi * i0e(k))


class Angle(ContinuousKind):
    """U(-pi, pi), which G gets as a point on the circle."""

    def prior_sd(self, size):
        return math.pi / math.sqrt(3)

    def sweep(self):
        return -math.pi, math.pi

    def entropy(self, size):
        return math.log(2 * math.pi)

    def input_size(self, size):
        return 2

    def output_size(self, size, spread):
        return 3

    def sample(self, uniform, size):
        return math.pi * uniform

    def pack(self, values, size):
        return jnp.stack([jnp.cos(values), jnp.sin(values)], axis=1)

    def unpack(self, outputs, spread):
        mean = jnp.arctan2(outputs[:, 1], outputs[:, 0])
        return VonMises(mean, jnp.logaddexp(outputs[:, 2], math.log(spread.floor)))


@pytest.fixture
def angle(monkeypatch):
    monkeypatch.setitem(KINDS, "angle", Angle())


def trained(config, workdir, **extensions):
    """The metrics of a short run, which has pictures and a checkpoint."""
    config.training.steps = 2
    more = Extensions(**extensions)
    assert training.train(config.to_dict(), workdir, extensions=more) == 0
    line = (workdir / "stats.jsonl").read_text().splitlines()[-1]
    return line, build(config.to_dict(), more)


def test_a_user_s_networks_train_and_keep_their_own_first_weights(
    tiny_config, tmp_path
):
    modules = {"generator": Picture(), "trunk": Residual(), "recognition": Residual(4)}
    line, exp = trained(tiny_config, tmp_path / "run", dataset=MINE, modules=modules)
    assert '"mi_bound/categorical_0"' in line
    first = jax.device_get(exp.first_state())
    assert not first.params["generator"]["Dense_0"]["kernel"].any()
    drawn = first.params["recognition"]["head"]
    assert 0.01 < np.std(jax.tree.leaves(drawn)[-1]) < 0.03
    trunk = first.params["discriminator"]["trunk"]
    assert trunk["Dense_0"]["kernel"].shape == (64, 16)
    assert "BatchNorm_0" in first.stats["discriminator"]["trunk"]
    with pytest.raises(UserError, match="with the extensions .*'trunk': 'Residual'"):
        infogan_jax.restore(tmp_path / "run")
    more = Extensions(MINE, modules)
    again, state = infogan_jax.restore(tmp_path / "run", extensions=more)
    assert state.step == 2 and len(again.dataset.train.images) == 40


def test_a_user_s_networks_are_checked_before_anything_is_compiled(tiny_config):
    for modules, message in [
        ({"critic": Residual()}, r"'critic'.* must be among generator, trunk, recogn"),
        ({"generator": Picture((4, 8, 1))}, r"\(4, 8, 1\), but .* \(8, 8, 1\)"),
    ]:
        with pytest.raises(UserError, match=message):
            build(tiny_config.to_dict(), Extensions(modules=modules))


def test_a_user_s_loss_is_one_more_weighted_term(tiny_config):
    def after(weight):
        term = Term("roughness", roughness, weight=weight, player="generator")
        exp = build(tiny_config.to_dict(), Extensions(MINE, terms=(term,)))
        step = jax.jit(lambda s: infogan_jax.train_step(exp.algorithm, s, images))
        return jax.device_get(step(exp.first_state()))

    images = jnp.asarray(SPLIT.images[:16])
    (plain, metrics), (smooth, weighted) = after(0.0), after(1e4)
    assert metrics["roughness"] == weighted["roughness"] > 0
    assert metrics["loss/generator"] == weighted["loss/generator"]
    for name, is_same in {"discriminator": True, "generator": False}.items():
        leaves = map(jax.tree.leaves, (plain.params[name], smooth.params[name]))
        same = [np.array_equal(*pair) for pair in zip(*leaves, strict=True)]
        assert all(same) if is_same else not any(same)


def test_a_user_s_kind_of_code_is_sampled_packed_unpacked_and_trained(
    angle, tiny_config, tmp_path
):
    tiny_config.latents.codes = "categorical(3), turn=angle @ 0.5"
    line, exp = trained(tiny_config, tmp_path / "run", dataset=MINE)
    assert '"mi_bound/turn"' in line
    assert len(list((tmp_path / "run").rglob("traversal_turn*"))) >= 1
    spec = exp.algorithm.spec
    assert spec.input_size == 3 + 2 + spec.noise_size and spec.output_size == 6
    drawn = latents.sample(spec, jnp.full((2, spec.uniform_size), 0.5))
    packed = latents.pack(spec, drawn)
    np.testing.assert_allclose(packed[:, 3:5], [[0, 1]] * 2, atol=1e-6)


def test_the_density_of_a_user_s_posterior_integrates_to_one():
    q = VonMises(jnp.array([0.7]), jnp.array([-0.5]))
    density = integrate.quad(
        lambda x: float(jnp.exp(q.log_prob(jnp.array([x])))[0]), -math.pi, math.pi
    )
    assert density[0] == pytest.approx(1, rel=1e-4)


def test_an_unknown_kind_is_refused_by_the_names_there_are(tiny_config):
    tiny_config.latents.codes = "turn=angle"
    with pytest.raises(UserError, match="KIND of categorical, uniform, gaussian"):
        build(tiny_config.to_dict())
