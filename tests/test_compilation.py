"""How programs are compiled, and where they are kept."""

import os
import re
from functools import partial
from pathlib import Path

import chex
import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
import pytest
from conftest import build_tiny

from infogan_jax import batches, compilation, experiment, parallel, state, steps

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)
ORDER = np.random.default_rng(1).permutation(40)[:32].reshape(2, 16)


@pytest.fixture
def compilation_cache(monkeypatch, tmp_path):
    names = (
        "jax_compilation_cache_dir",
        "jax_persistent_cache_min_compile_time_secs",
    )
    kept = {name: jax.config.values[name] for name in names}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def directory(own=None):
        jax.config.update(names[0], own)
        compilation.keep_compiled_programs()
        return jax.config.values[names[0]]

    yield directory
    for name, value in kept.items():
        jax.config.update(name, value)


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


def test_a_loop_of_steps_copies_less_of_what_it_carries_to_the_same_bits(tiny_config):
    exp = experiment.build(tiny_config.to_dict())
    mesh = parallel.make_mesh(devices=jax.devices()[:1])
    step = partial(steps.train_step, exp.algorithm)
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
        (compilation.jit_for_once, "xla_backend_optimization_level"),
        (compilation.jit_loop, "xla_cpu_copy_insertion_use_region_analysis"),
    ],
)
def test_an_option_that_the_user_has_set_is_left_alone(jit, option, monkeypatch):
    given = []

    def record(function, *, compiler_options):
        given.append(compiler_options.keys())
        return function

    monkeypatch.setattr(jax, "jit", record)
    for flags in (
        "--xla_cpu_enable_fast_math=false",
        f"--xla_cpu_enable_fast_math=false --{option}=0",
    ):
        monkeypatch.setenv("XLA_FLAGS", flags)
        jit(abs)
    assert given == [{option}, set()]


def test_what_is_compiled_for_once_gives_the_same_bits(monkeypatch):
    create = partial(state.create, build_tiny(average_decay=0.5))
    usual = jax.jit(create, compiler_options={"xla_backend_optimization_level": 3})
    monkeypatch.delenv("XLA_FLAGS")
    once = compilation.jit_for_once(create)
    chex.assert_trees_all_equal(once(jnp.uint32(5)), usual(jnp.uint32(5)))


@pytest.fixture
def traced(compilation_cache):
    """Calls a function kept as by a process of its own; how often each was traced."""
    compilation_cache()
    times = []

    def call(argument, about="f", donate=()):
        def double(x):
            times.append(about)
            return {"twice": 2 * x}

        jitted = jax.jit(double, donate_argnums=donate)
        kept = compilation.kept_whole(jitted, {"name": about})
        return kept(argument)["twice"]

    call.times = times
    return call


def raises(error):
    def fail(*_, **__):
        raise error

    return fail


def programs(suffix=""):
    cache = Path(jax.config.values["jax_compilation_cache_dir"])
    return list(cache.glob(f"whole/*{suffix}"))


def test_a_program_that_is_kept_whole_is_not_traced_again(traced):
    ones = jnp.ones(3)
    for _ in range(3):
        np.testing.assert_array_equal(traced(ones), 2 * ones)
    assert traced.times == ["f"]


def test_each_shape_type_and_meaning_has_a_program_of_its_own(traced):
    for argument in (jnp.ones(3), jnp.ones(4), jnp.ones(3, jnp.int32)):
        np.testing.assert_array_equal(traced(argument), 2 * argument)
    traced(jnp.ones(3), "g")
    assert traced.times == ["f", "f", "f", "g"]


CHANGES = {
    "the package": lambda patch: patch.setattr(compilation, "_source", lambda: "new"),
    "a version": lambda patch: patch.setattr(compilation, "version", lambda _: "0.1"),
    "the CPU": lambda patch: patch.setattr(compilation, "_cpu_features", lambda: b""),
    "threads": lambda patch: patch.setattr(compilation, "threads", lambda: 77),
    "XLA_FLAGS": lambda patch: patch.setenv(
        "XLA_FLAGS", "--xla_cpu_enable_fast_math=false"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_kept_program_is_left_alone_where_anything_else_has_changed(
    change, traced, monkeypatch
):
    traced(jnp.ones(3))
    change(monkeypatch)
    traced(jnp.ones(3))
    assert traced.times == ["f", "f"]


def test_so_it_is_with_a_setting_of_jax(traced):
    traced(jnp.ones(3))
    with jax.default_matmul_precision("float32"):
        traced(jnp.ones(3))
    assert traced.times == ["f", "f"]


@pytest.mark.parametrize("content", [b"", b"no program", b"half"])
def test_a_broken_program_is_compiled_again_and_replaced(content, traced):
    traced(jnp.ones(3))
    [place] = programs()
    whole = place.read_bytes()
    place.write_bytes(whole[: len(whole) // 2] if content == b"half" else content)
    np.testing.assert_array_equal(traced(jnp.ones(3)), 2 * jnp.ones(3))
    traced(jnp.ones(3))
    assert traced.times == ["f", "f"]


def test_a_kept_program_overwrites_what_it_was_given_to_overwrite(traced):
    for _ in range(2):
        argument = jnp.ones(3)
        traced(argument, donate=0)
        assert argument.is_deleted()
    assert traced.times == ["f"]


def test_the_programs_used_last_are_kept_and_no_half_written_one(traced, monkeypatch):
    monkeypatch.setattr(compilation, "PROGRAMS", 2)
    for about in ("one", "two", "one", "three", "one", "two"):
        traced(jnp.ones(3), about)
        for place in programs():  # a clock that is too coarse to tell them apart
            os.utime(place, ns=(place.stat().st_mtime_ns - 10**9,) * 2)
    assert traced.times == ["one", "two", "three", "two"]
    assert len(programs(".pickle")) == len(programs()) == 2


def test_where_nothing_can_be_written_nothing_is_kept(traced, monkeypatch):
    monkeypatch.setattr(Path, "write_bytes", raises(OSError(28, "No space left")))
    for _ in range(2):
        np.testing.assert_array_equal(traced(jnp.ones(3)), 2 * jnp.ones(3))
    assert traced.times == ["f", "f"] and not programs()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("jax_enable_compilation_cache", False),
        ("jax_compilation_cache_dir", None),
        ("jax_compilation_cache_dir", "gs://bucket/cache"),
    ],
)
def test_without_a_cache_directory_of_this_machine_nothing_is_kept(name, value, traced):
    kept = jax.config.values[name]
    jax.config.update(name, value)
    try:
        assert compilation._place({}, ()) is None
    finally:
        jax.config.update(name, kept)
