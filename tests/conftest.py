"""One process with two CPU devices, shapes checked, rank promotion an error.

Programs are compiled quickly: what takes time in most tests is the compiler.
"""

import os
import shutil
import tempfile

os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="infogan_jax_tests_")

import jax
from jaxtyping import install_import_hook

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", 2)
jax.config.update("jax_numpy_rank_promotion", "raise")

CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
with install_import_hook("infogan_jax", CHECKER):
    import infogan_jax.evaluation
    import infogan_jax.training  # noqa: F401

import ml_collections
import optax
import pytest

from configs import digits
from infogan_jax import compilation, networks, notation
from infogan_jax.algorithm import Algorithm, Optimisers
from infogan_jax.latents import LatentSpec

TINY = {
    "generator": "fc 2x2x8 bn relu, upconv 8 s2 bn relu, upconv 1 s2 sigmoid",
    "trunk": "conv 8 s2 lrelu, fc 16 bn lrelu",
    "recognition": "fc 8 bn lrelu",
}

VECTORS = {
    "generator": "fc 16 bn relu, fc 8x8x1 sigmoid",
    "trunk": "fc 16 bn lrelu",
    "recognition": "fc 8 bn lrelu",
}
"""Without a convolution, they compile in half the time."""


def build_tiny(
    codes: str = "categorical(10), 2 x uniform @ 0.5",
    *,
    optimisers: Optimisers | None = None,
    fixed_sd: float | None = None,
    spectral_norm: bool = False,
    precision: str = "float32",
    **switches,
) -> Algorithm:
    """A tiny InfoGAN on 8x8 images; `switches` are fields of Algorithm."""
    spec = LatentSpec(notation.parse_codes(codes), 5, fixed_sd=fixed_sd)
    layers = {name: notation.parse_layers(text, name) for name, text in TINY.items()}
    nets = networks.build(
        **layers,
        input_size=spec.input_size,
        output_size=spec.output_size,
        image_shape=(8, 8, 1),
        spectral_norm=spectral_norm,
        precision=precision,
    )
    if optimisers is None:
        optimisers = Optimisers(optax.adam(2e-4, 0.5), optax.adam(1e-3, 0.5))
    return Algorithm(spec, nets, optimisers, **switches)


def pytest_sessionfinish() -> None:
    shutil.rmtree(os.environ["XDG_CACHE_HOME"], ignore_errors=True)


FIRST = ("multihost", "command_line", "vmapped", "replication", "memory", "parallel")
"""Few tests that take minutes: a worker that is given them last works on alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(
        key=lambda item: item.path.stem not in {f"test_{name}" for name in FIRST}
    )


@pytest.fixture
def tiny_config() -> ml_collections.ConfigDict:
    """The digits experiment with tiny networks: 8 steps of 16 images."""
    config = digits.get_config()
    config.name = "tiny"
    config.networks.update(VECTORS)
    config.data.batch_size = 16
    config.training.update(
        steps=8, steps_per_call=2, log_every=2, picture_every=4, checkpoint_every=4
    )
    config.evaluation.samples = 200
    return config


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
