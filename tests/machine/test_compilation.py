"""How programs are compiled, and where they are kept."""

import re
from functools import partial

import chex
import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
import pytest
from tiny import build_tiny

from infogan_jax import experiment
from infogan_jax.data import batches
from infogan_jax.game import state, train_step
from infogan_jax.machine import compilation, parallel

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)
ORDER = np.random.default_rng(1).permutation(40)[:32].reshape(2, 16)


def test_compiled_programs_are_kept_apart_by_jaxlib_and_by_the_cpus_features(
    compilation_cache, monkeypatch, tmp_path
):
    here = compilation_cache()
    start = re.escape(f"{tmp_path}/infogan_jax/compiled/{jaxlib.__version__}-")
    assert re.fullmatch(start + "[0-9a-f]{12}", here)
    assert compilation_cache() == here
    monkeypatch.setattr(compilation, "_cpu_features", lambda: b"flags : of another CPU")
    elsewhere = compilation_cache()
    assert elsewhere != here
    monkeypatch.setattr(jaxlib, "__version__", "0.0.1")
    assert compilation_cache() not in (here, elsewhere)


def test_a_cache_directory_that_the_user_has_set_is_left_alone(compilation_cache):
    assert compilation_cache("their/own") == "their/own"


@pytest.mark.long
def test_a_loop_of_steps_copies_less_of_what_it_carries_to_the_same_bits(tiny_config):
    exp = experiment.build(tiny_config.to_dict())
    mesh = parallel.make_mesh(devices=jax.devices()[:1])
    step = partial(train_step.train_step, exp.algorithm)
    advance = parallel.map_steps(step, batches.gather, mesh)
    arguments = jax.device_get(exp.first_state()), IMAGES, ORDER
    lowered = advance.lower(*arguments)
    ours = lowered.compile()
    usual = lowered.compile({"xla_cpu_copy_insertion_use_region_analysis": False})
    chex.assert_trees_all_equal(ours(*arguments), usual(*arguments))
    copies, theirs = (each.as_text().count(" copy(") for each in (ours, usual))
    assert copies < 0.9 * theirs


@pytest.mark.parametrize(
    ("jit", "option"),
    [
        (compilation.jit_once, "xla_backend_optimization_level"),
        (compilation.jit_loop, "xla_cpu_copy_insertion_use_region_analysis"),
    ],
)
def test_an_option_that_the_user_has_set_is_left_alone(jit, option, monkeypatch):
    given = []

    def record(function, *, compiler_options):
        given.append(compiler_options.keys())
        return function

    monkeypatch.setattr(jax, "jit", record)
    monkeypatch.setattr(compilation, "_is_known", lambda options: True)
    for flags in (
        "--xla_cpu_enable_fast_math=false",
        f"--xla_cpu_enable_fast_math=false --{option}=0",
    ):
        monkeypatch.setenv("XLA_FLAGS", flags)
        jit(abs)
    assert given == [{option}, set()]


def test_what_is_compiled_for_once_gives_the_same_bits(monkeypatch):
    create = partial(state.create_state, build_tiny(average_decay=0.5))
    usual = jax.jit(create, compiler_options={"xla_backend_optimization_level": 3})
    monkeypatch.delenv("XLA_FLAGS")
    once = compilation.jit_once(create)
    chex.assert_trees_all_equal(once(jnp.uint32(5)), usual(jnp.uint32(5)))


def test_an_option_that_xla_has_dropped_is_left_out():
    assert compilation._is_known((("xla_backend_optimization_level", 1),))
    assert not compilation._is_known((("xla_cpu_no_such_option", True),))
    doubled = compilation._jit(lambda x: 2 * x, {"xla_cpu_no_such_option": True})
    assert doubled(jnp.float32(3)) == 6
