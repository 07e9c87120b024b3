"""One process with two CPU devices, shapes checked, rank promotion an error.

Programs are compiled quickly: what takes time in most tests is the compiler.
"""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")
IS_WORKER = "PYTEST_XDIST_WORKER" in os.environ
CACHE = "infogan_jax_tests_"
if CACHE not in os.environ.get("XDG_CACHE_HOME", ""):  # workers share what they compile
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix=CACHE)

import jax
from jaxtyping import install_import_hook

jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", 2)
jax.config.update("jax_numpy_rank_promotion", "raise")

CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
with install_import_hook("infogan_jax", CHECKER):
    import infogan_jax.evaluation
    import infogan_jax.trained.loading
    import infogan_jax.training

import ml_collections
import pytest
from tiny import VECTORS

from configs import digits
from infogan_jax.machine import compilation
from infogan_jax.model import convolutions


def pytest_sessionstart() -> None:
    """Orbax's dropped reads end whenever the garbage is collected, in any test."""
    from infogan_jax.machine import streams

    streams.hide_dropped_reads()


def pytest_sessionfinish() -> None:
    if not IS_WORKER:
        shutil.rmtree(os.environ["XDG_CACHE_HOME"], ignore_errors=True)


FIRST = ("multihost", "command_line", "one_program", "seeds", "memory", "parallel")
"""Few tests that take minutes: a worker that is given them last works on alone."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(
        key=lambda item: item.path.stem not in {f"test_{name}" for name in FIRST}
    )


def make_tiny_config() -> ml_collections.ConfigDict:
    config = digits.get_config()
    config.name = "tiny"
    config.networks.update(VECTORS)
    config.data.batch_size = 16
    config.real_information.weight = 0.0  # compiles in two thirds of the time
    config.training.update(
        steps=8, steps_per_call=2, log_every=2, picture_every=4, checkpoint_every=4
    )
    config.evaluation.samples = 200
    return config


@pytest.fixture
def tiny_config() -> ml_collections.ConfigDict:
    """The digits experiment with tiny networks: 8 steps of 16 images."""
    return make_tiny_config()


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory) -> Path:
    """A run of `tiny_config`, trained once for all workers; nobody writes to it."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if IS_WORKER else shared
    run = shared / "trained_run" / "tiny"
    with open(shared / "trained_run.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not run.exists():
            config = make_tiny_config().to_dict()
            assert infogan_jax.training.train(config, run) == 0
    return run


@pytest.fixture
def own_run(trained_run, tmp_path) -> Path:
    """A copy of the trained run, to write to."""
    return Path(shutil.copytree(trained_run, tmp_path / "run"))


@pytest.fixture(scope="session")
def model(trained_run) -> infogan_jax.trained.infogan.InfoGAN:
    """The InfoGAN of the trained run."""
    return infogan_jax.trained.loading.load(trained_run)


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """A function after which the forms of convolutions are those for a GPU."""
    jitted = (convolutions.conv_matmul, convolutions.upconv_matmul)

    def forget():
        for each in jitted:
            each.clear_cache()

    def use():
        monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
        forget()

    yield use
    forget()


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
