"""ONNX of the paper's networks equals JAX; sizes and latencies are printed."""

import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from infogan_jax import experiment
from infogan_jax.trained import exporting, loading

CONFIGS = ("digits", "mnist", "svhn")
COUNT = 100
REPEATS = 10


def model_of(name):
    """An InfoGAN of a config, with weights and averages far from the first ones."""
    config = import_module(f"configs.{name}").get_config().to_dict()
    exp = experiment.describe(config)
    state = exp.first_state()
    keys = iter(jax.random.split(jax.random.key(0), 1000))

    def moved(leaf):
        return jnp.abs(leaf) + 0.3 * jax.random.uniform(next(keys), leaf.shape)

    params = jax.tree.map(lambda leaf: 2.0 * leaf, state.params)
    stats = jax.tree.map(moved, state.stats)
    return loading._make(Path("none"), exp, 0, params, stats, (params, stats))


def median_of(call):
    call()  # compiles
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return 1000 * float(np.median(seconds))


@pytest.mark.skipif(find_spec("jax2onnx") is None, reason="needs jax2onnx")
@pytest.mark.parametrize("name", CONFIGS)
def test_onnx_runtime_equals_jax(name, capsys):
    import onnxruntime

    model = model_of(name)
    for kind, program in exporting.make_programs(model).items():
        content = exporting.to_onnx(kind, program)
        difference = exporting.compare(program, content)
        session = onnxruntime.InferenceSession(content)
        inputs = {
            key: np.zeros((COUNT, *shape), np.dtype(dtype))
            for key, (shape, dtype) in program.inputs.items()
        }
        compiled = jax.jit(program.function)
        values = list(inputs.values())
        ours = median_of(lambda c=compiled, v=values: jax.block_until_ready(c(*v)))
        theirs = median_of(lambda s=session, i=inputs: s.run(None, i))
        with capsys.disabled():
            print(
                f"\n{name} {kind}: {len(content) / 1e6:.1f} MB, {difference:.1e} from "
                f"JAX; {COUNT} images: ONNX Runtime {theirs:.1f} ms, JAX {ours:.1f} ms"
            )
        assert difference < exporting.TOLERANCE
