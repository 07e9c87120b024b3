"""Runs of the InfoVAE: on one device and two, stopped and not; what G's step sees."""

from dataclasses import replace
from functools import partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import make_tiny_config

from configs import digits, mnist, vae
from infogan_jax import experiment, training
from infogan_jax.game import state, train_step
from infogan_jax.game.terms import Term
from infogan_jax.machine import parallel
from infogan_jax.restoring import restore


def vae_config(steps):
    config = make_tiny_config()
    config.latents.update(codes="categorical(4) @ 0, gaussian @ 0", noise_size=0)
    config.objective.update(game="none", noise_sd=0.0)
    config.info_vae.update(sd=0.2, mmd_weight=100.0)
    config.training.update(steps=steps, picture_every=2)
    return config.to_dict()


def trained(workdir, *steps):
    """The state of a run after a call of the command for each number of steps."""
    for each in steps:
        assert training.train(vae_config(each), workdir) == 0
    return jax.device_get(restore(workdir)[1])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return tmp_path_factory.mktemp("vae") / "whole"


@pytest.fixture(scope="module")
def whole(run):
    """The state after four steps without a stop, on two devices."""
    return trained(run, 4)


def test_a_run_that_was_stopped_goes_on_in_the_same_bits(whole, tmp_path):
    chex.assert_trees_all_equal(whole, trained(tmp_path, 2, 4))


@pytest.mark.long
def test_two_devices_take_the_steps_of_one(whole, tmp_path, monkeypatch):
    alone = partial(parallel.make_mesh, devices=jax.devices()[:1])
    monkeypatch.setattr(parallel, "make_mesh", alone)
    one = trained(tmp_path, 4)
    chex.assert_trees_all_close(one.params, whole.params, rtol=1e-2, atol=2e-3)


def test_trunk_q_and_g_move_and_the_head_of_d_stays(whole):
    first = experiment.describe(vae_config(4)).first_state()
    moves = jax.tree.map(
        lambda a, b: np.abs(a - b).max(), jax.device_get(first.params), whole.params
    )
    assert max(jax.tree.leaves(moves["discriminator"].pop("head"))) == 0
    for network in ("discriminator", "recognition", "generator"):
        assert max(jax.tree.leaves(moves[network])) > 1e-4, network


def test_a_run_draws_its_reconstructions(whole, run):
    names = {path.name for path in (run / "pictures").iterdir()}
    assert {f"reconstructions_000000{step}.png" for step in (2, 4)} <= names


@pytest.mark.parametrize("shows_real", [False, True])
def test_g_s_step_has_the_real_images_only_for_a_term_that_asks(shows_real):
    """Traced, not compiled: without such a term its program has no more operations."""
    seen = []

    def value(view):
        seen.append(view.real)
        return jnp.zeros(()), {}

    term = Term("look", value, player="generator", shows_real=shows_real)
    exp = experiment.describe(make_tiny_config().to_dict())
    algorithm = replace(exp.algorithm, terms=(term,))
    step = partial(train_step.train_step, algorithm)
    batch = np.zeros((16, 8, 8, 1), np.uint8)
    jax.eval_shape(step, state.state_shapes(algorithm), batch)
    assert [real is not None for real in seen] == [shows_real]


@pytest.mark.parametrize("mode", vae.MODES)
def test_the_configs_have_the_networks_of_infogan_and_no_noise(mode):
    config = vae.get_config(mode)
    other = mnist if mode == "mnist" else digits
    assert config.networks == other.get_config().networks
    algorithm = experiment.describe(config.to_dict()).algorithm
    spec = algorithm.spec
    assert spec.noise_size == 0 and spec.input_size == 10 + len(spec.codes) - 1
    assert [term.player for term in algorithm.terms][-2:] == [
        "discriminator",
        "generator",
    ]
