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
import pytest
from tiny import VECTORS

from configs import digits
from infogan_jax.machine import compilation


def pytest_sessionstart() -> None:
    """Orbax's dropped reads end whenever the garbage is collected, in any test."""
    from infogan_jax.commands import program

    program.hide_dropped_reads()


def pytest_sessionfinish() -> None:
    shutil.rmtree(os.environ["XDG_CACHE_HOME"], ignore_errors=True)


FIRST = ("multihost", "command_line", "vmapped_training", "seeds", "memory", "parallel")
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
        compilation.use_persistent_cache()
        return jax.config.values[names[0]]

    yield directory
    for name, value in kept.items():
        jax.config.update(name, value)
