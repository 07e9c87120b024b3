"""What a user's program adds: images, networks, a loss, a game, a kind of code."""

import json
import math
import re
from pathlib import Path

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

import infogan_jax
from infogan_jax import Extensions, Term
from infogan_jax.data.dataset import Dataset, Split
from infogan_jax.errors import UserError
from infogan_jax.experiment import build
from infogan_jax.game.games.catalog import GAMES
from infogan_jax.machine import parallel
from infogan_jax.model import latents
from infogan_jax.model.code_kinds import KINDS, ContinuousKind
from infogan_jax.restoring import begin_from

PAGE = Path(__file__).parents[1] / "docs" / "extend.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
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


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """What is left after the program of docs/extend.md, in a directory of its own."""
    left = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("page"))
        patch.setitem(KINDS, "robust", None)  # which the program replaces
        patch.setitem(GAMES, "exponential", None)
        exec(compile("\n".join(BLOCK.findall(PAGE.read_text())), PAGE, "exec"), left)
        yield left


def test_the_program_of_the_page_trains_and_restores_a_run(page):
    exp, state = page["exp"], page["state"]
    assert state.step == 50 and len(exp.dataset.train.images) == 400
    run = Path("runs/mine").absolute()
    line = json.loads((run / "stats.jsonl").read_text().splitlines()[-1])
    assert line["roughness"] > 0 and np.isfinite(line["mi_bound/side"])
    assert -1 < line["divergence_bound/hellinger"] < 1 and "jsd_bound" not in line
    assert list(run.rglob("*traversal_side*"))
    trunk = state.params["discriminator"]["trunk"]
    assert trunk["Dense_0"]["kernel"].shape == (64, 64)


def test_a_run_with_extensions_is_restored_only_with_the_same_ones(page):
    names = "'trunk': 'Residual', 'term smoothness': 'generator'"
    with pytest.raises(UserError, match=rf"with the extensions .*{names}.*, not with"):
        infogan_jax.restore(Path("runs/mine"))


def test_a_user_s_kind_of_code_has_its_place_in_g_s_input_and_q_s_output(page):
    spec = page["exp"].algorithm.spec
    assert spec.input_size == 10 + 1 + spec.noise_size and spec.output_size == 12
    packed = latents.pack(
        spec, latents.sample(spec, jnp.full((2, spec.uniform_size), 0.5))
    )
    np.testing.assert_allclose(packed[:, 10], 0.5)


def test_the_page_s_game_certifies_half_the_squared_hellinger_distance(page):
    """Of a coin that falls on heads with 0.8 and one with 0.5, by counts of ten."""
    coins = np.repeat([0, 1, 0, 1], [2, 8, 5, 5]).reshape(2, 10)
    optimal = 0.5 * np.log(np.float32([0.2 / 0.5, 0.8 / 0.5]))
    value = page["GAMES"]["exponential"].bound.value(*jnp.array(optimal[coins]))
    expected = 1 - math.sqrt(0.2 * 0.5) - math.sqrt(0.8 * 0.5)
    assert float(value) == pytest.approx(expected, abs=1e-6)


def test_a_game_that_is_defined_anew_is_the_one_that_is_played(
    tiny_config, monkeypatch
):
    tiny_config.objective.game = "mine"
    for game in (GAMES["hinge"], GAMES["wasserstein"]):
        monkeypatch.setitem(GAMES, "mine", game)
        assert build(tiny_config.to_dict()).algorithm.game is game


def test_the_density_of_the_page_s_posterior_integrates_to_one(page):
    q = page["Laplace"](jnp.array([0.7]), jnp.array([-0.5]))
    density = integrate.quad(
        lambda x: float(jnp.exp(q.log_prob(jnp.array([x])))[0]), -20, 20, points=[0.7]
    )
    assert density[0] == pytest.approx(1, rel=1e-4)


def test_a_user_s_networks_keep_their_own_first_weights(tiny_config):
    modules = {"generator": Picture(), "trunk": Residual(), "recognition": Residual(4)}
    exp = build(tiny_config.to_dict(), Extensions(MINE, modules))
    first = jax.device_get(exp.first_state())
    assert not first.params["generator"]["Dense_0"]["kernel"].any()
    drawn = first.params["recognition"]["head"]["fc_0"]["kernel"]
    assert 0.01 < np.std(drawn) < 0.03
    trunk = first.params["discriminator"]["trunk"]
    assert np.std(trunk["Dense_0"]["kernel"]) > 0.05
    assert "BatchNorm_0" in first.stats["discriminator"]["trunk"]


def test_a_user_s_networks_are_checked_before_anything_is_compiled(tiny_config):
    for modules, message in [
        ({"critic": Residual()}, r"'critic'.* must be among generator, trunk, recogn"),
        ({"generator": Picture((4, 8, 1))}, r"\(4, 8, 1\), but .* \(8, 8, 1\)"),
    ]:
        with pytest.raises(UserError, match=message):
            build(tiny_config.to_dict(), Extensions(modules=modules))


def test_images_of_another_shape_than_a_user_s_generator_makes_are_refused(tiny_config):
    larger = Split(RNG.integers(0, 256, (40, 16, 16, 1), np.uint8))
    data = Dataset(larger, larger, {"name": "larger"})
    with pytest.raises(
        UserError, match="makes images of 8 x 8 x 1, but the data has 16"
    ):
        build(tiny_config.to_dict(), Extensions(data, {"generator": Picture()}))


def test_a_run_begins_with_the_parameters_of_another_with_the_same_extensions(page):
    given = page["extensions"]
    config = page["config"].to_dict()
    source = Path("runs/mine")
    exp = build(config | {"seed": 1}, given)
    mesh = parallel.make_mesh(devices=jax.devices()[:1])
    state, about = begin_from(exp, source, mesh, given)
    assert about["step"] == 50 and state.step == 0
    chex.assert_trees_all_equal(
        jax.device_get(state.params), jax.device_get(page["state"].params)
    )


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


def test_an_unknown_kind_is_refused_by_the_names_there_are(tiny_config):
    tiny_config.latents.codes = "torus"
    with pytest.raises(UserError, match="KIND of categorical, uniform, gaussian"):
        build(tiny_config.to_dict())


def test_a_kind_that_is_defined_anew_is_the_one_that_is_trained_and_drawn(
    tiny_config, tmp_path, monkeypatch
):
    """As in a notebook, whose cell with the class is changed and run again."""
    tiny_config.latents.codes = "mine=own"
    tiny_config.training.steps = 2
    sampled = []

    def define(scale):
        class Own(ContinuousKind):
            def prior_sd(self, size):
                return scale

            def entropy(self, size):
                return math.log(2 * scale)

            def sample(self, uniform, size):
                sampled.append(scale)
                return scale * uniform

        monkeypatch.setitem(KINDS, "own", Own())

    for scale in (0.5, 2.0):
        define(scale)
        workdir = tmp_path / str(scale)
        sampled.clear()
        assert infogan_jax.train(tiny_config.to_dict(), workdir) == 0
        assert set(sampled) == {scale}
        drawn = infogan_jax.load(workdir).latents(1000).codes["mine"]
        assert 0.9 * scale < np.abs(drawn).max() <= scale
