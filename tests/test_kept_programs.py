"""Whole programs, which the next process neither traces nor lowers."""

import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infogan_jax import compilation, experiment, training


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


def test_the_next_run_traces_no_step_whatever_its_seed(
    tiny_config, tmp_path, monkeypatch
):
    tiny_config.training.steps = 4
    tiny_config.latents.noise_size = 11  # a program that no other test has compiled
    assert training.train(tiny_config.to_dict(), tmp_path / "first") == 0
    monkeypatch.setattr(training, "train_step", raises(AssertionError("traced")))
    tiny_config.seed = 1
    assert training.train(tiny_config.to_dict(), tmp_path / "next") == 0


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


def test_a_program_from_jaxs_cache_which_would_be_broken_is_not_kept(
    tiny_config, compilation_cache
):
    compilation_cache()
    tiny_config.latents.noise_size = 13
    exp = experiment.build(tiny_config.to_dict())
    for kept in (1, 0):
        state = exp.first_state()
        assert int(state.step) == 0 and len(programs()) == kept
        for place in programs():
            place.unlink()


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
    "error",
    [
        jax.errors.JaxRuntimeError("UNIMPLEMENTED: a backend without serialization"),
        NotImplementedError("constants"),
        ValueError("no executable"),
        TypeError("cannot pickle"),
    ],
)
def test_a_program_that_cannot_be_written_down_runs_all_the_same(
    error, traced, monkeypatch
):
    monkeypatch.setattr(compilation.serialize_executable, "serialize", raises(error))
    np.testing.assert_array_equal(traced(jnp.ones(3)), 2 * jnp.ones(3))
    assert not programs()


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
