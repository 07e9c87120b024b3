"""Exports a trained run to other frameworks: ONNX, safetensors, `jax.export`.

Generator and encoder become two programs with named inputs and outputs. Their images
are floats in [0, 1] whatever the range of the networks, so that nobody wraps a picture.
"""

import contextlib
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict

from infogan_jax.errors import RunFailure, UserError
from infogan_jax.machine import compilation, processes
from infogan_jax.model import latents, networks
from infogan_jax.model.code_kinds import Categorical
from infogan_jax.model.latents import Latents
from infogan_jax.run import data_record
from infogan_jax.run.code_names import NAMES
from infogan_jax.run.files import new_folder
from infogan_jax.run.run_directory import CONFIG
from infogan_jax.trained import loading, model_card
from infogan_jax.trained.infogan import InfoGAN
from infogan_jax.trained.loading import EXPORTED

FORMATS = ("onnx", "safetensors", "jax")
PACKAGES = {
    "onnx": ("jax2onnx", "onnx", "onnxruntime"),
    "safetensors": ("safetensors",),
}
PLATFORMS = ("cpu", "cuda", "tpu")
OPSET = 21
TOLERANCE = 1e-4
CHECKED = 16
"""Inputs with which ONNX Runtime is compared with JAX before anything is written."""


@dataclass(frozen=True)
class Program:
    """A pure function with named inputs and outputs; each begins with the batch.

    Attributes:
      function: from arrays to a tuple of arrays.
      inputs: the shape of an example, without the batch, and the type of each input.
      outputs: the names of the outputs.
    """

    function: Callable[..., tuple[jax.Array, ...]]
    inputs: Mapping[str, tuple[tuple[int, ...], Any]]
    outputs: tuple[str, ...]


def export_run(workdir: Path, out: str, formats: str = "onnx,safetensors,jax") -> str:
    """Writes a trained run as a new folder that other programs read.

    The folder is laid out as model hubs expect: `README.md` is the model card,
    `config.json` the config, `names.json` the names of codes if there are any.
    `model.safetensors` has the parameters; with it `infogan_jax.load` takes the folder
    for a run. `generator` and `encoder`, `.onnx` and `.jax`, are whole programs for any
    number of images at once.

    Args:
      workdir: of the run, whose newest checkpoint is used.
      out: a new or empty folder.
      formats: of `onnx`, `safetensors` and `jax`, with commas between.

    Returns:
      A line for each file, with its size, and the largest difference of ONNX.

    Raises:
      UserError: for a format that is not there or whose package is not installed, and
        a folder that is not empty.
      RunFailure: where ONNX Runtime differs by more than 1e-4 from JAX, or a file
        cannot be written.
    """
    wanted = _parse(formats)
    if not out:
        raise UserError("--out is missing; name a new folder.")
    processes.refuse_several()
    compilation.use_persistent_cache()
    model = loading.load(workdir)
    programs = make_programs(model)
    notes = []
    with new_folder(Path(out)) as folder:
        if "onnx" in wanted:
            notes = [_write_onnx(folder, *pair) for pair in programs.items()]
        if "jax" in wanted:
            for name, program in programs.items():
                (folder / f"{name}.jax").write_bytes(serialise(program))
        if "safetensors" in wanted:
            save = import_module("safetensors.numpy").save_file
            about = {"format": "np", "step": str(model.step)}
            save(arrays_of(model), folder / EXPORTED, metadata=about)
        _write_json(folder / CONFIG, _without_paths(model.config))
        _write_json(folder / data_record.RECORD, {"rules": model.rules.record()})
        if model.names:
            _write_json(folder / NAMES, model.names)
        card = model_card.write(model, wanted)
        (folder / "README.md").write_text(card, encoding="utf-8")
        sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    files = [f"  {name}: {size / 1e6:.2f} MB" for name, size in sizes.items()]
    return "\n".join([f"wrote {out}:", *files, *notes])


def _parse(formats: str) -> list[str]:
    wanted = [word.strip() for word in formats.split(",") if word.strip()]
    for name in wanted:
        if name not in FORMATS:
            raise UserError(
                f"--formats (={formats}) must be of {', '.join(FORMATS)}; leave out "
                f"{name!r}."
            )
        for package in PACKAGES.get(name, ()):
            if find_spec(package) is None:
                others = ",".join(each for each in FORMATS if each not in PACKAGES)
                raise UserError(
                    f"--formats (={formats}): {name} needs the package {package}; "
                    "install requirements-export.txt (pip install "
                    f"'infogan-jax[export]'), or take --formats={others}."
                )
    if not wanted:
        raise UserError(f"--formats (={formats}) is empty; take {','.join(FORMATS)}.")
    return wanted


def make_programs(model: InfoGAN) -> dict[str, Program]:
    """Returns `generator` and, where there are codes, `encoder`.

    The generator takes each code by its name in the config, [batch], and `noise`
    [batch, n]; it returns `images` [batch, height, width, channels] in [0, 1]. The
    encoder takes such `images` and returns what `InfoGAN.encode` does.
    """
    programs = {"generator": _generator(model)}
    if model.codes:
        programs["encoder"] = _encoder(model)
    return programs


def _generator(model: InfoGAN) -> Program:
    nets, (low, high) = networks.portable(model.nets), model.nets.output_range
    params, stats = jax.device_get(model.sampling)
    inputs: dict[str, tuple[tuple[int, ...], Any]] = {
        code.name: ((), jnp.int32 if code.is_categorical else jnp.float32)
        for code in model.codes
    }
    inputs["noise"] = ((model.spec.noise_size,), jnp.float32)

    def generate(*arrays: jax.Array) -> tuple[jax.Array, ...]:
        codes = dict(zip(inputs, arrays[:-1], strict=False))
        packed = latents.pack(model.spec, Latents(codes, arrays[-1]))
        images, _ = networks.generate(nets, params, stats, packed, train=False)
        return ((images - low) / (high - low),)

    return Program(generate, inputs, ("images",))


def _encoder(model: InfoGAN) -> Program:
    nets, (low, high) = networks.portable(model.nets), model.nets.output_range
    params, stats = jax.device_get((model.params, model.stats))
    names = tuple(
        f"{code.name}/{what}"
        for code in model.codes
        for what in (("probabilities",) if code.is_categorical else ("mean", "sd"))
    )

    def encode(images: jax.Array) -> tuple[jax.Array, ...]:
        scaled = images * (high - low) + low
        _, outputs, *_ = networks.discriminate(nets, params, stats, scaled, train=False)
        found: list[jax.Array] = []
        for q in latents.posterior(model.spec, outputs).values():
            found += (
                [jax.nn.softmax(q.logits)]
                if isinstance(q, Categorical)
                else [q.mean, jnp.exp(q.log_sd)]
            )
        return tuple(found)

    return Program(encode, {"images": (model.image_shape, jnp.float32)}, names)


def serialise(program: Program) -> bytes:
    """Returns the bytes of `jax.export`, for CPU, GPU and TPU and any batch."""
    (batch,) = jax.export.symbolic_shape("batch")
    shapes = [
        jax.ShapeDtypeStruct((batch, *shape), dtype)
        for shape, dtype in program.inputs.values()
    ]
    exported = jax.export.export(jax.jit(program.function), platforms=PLATFORMS)
    return bytes(exported(*shapes).serialize())


def arrays_of(model: InfoGAN) -> dict[str, np.ndarray]:
    """Returns parameters and batch-norm averages by their paths, G's for sampling."""
    trees = {"params": {**model.params}, "stats": {**model.stats}}
    for kind, tree in zip(trees, model.sampling, strict=True):
        trees[kind]["generator"] = tree["generator"]
    flat = flatten_dict(jax.device_get(trees), sep="/")
    return {name: np.ascontiguousarray(array) for name, array in flat.items()}


def _write_onnx(folder: Path, name: str, program: Program) -> str:
    """Writes a program as ONNX; returns how far it is from JAX, in words.

    Raises:
      RunFailure: where that is more than 1e-4.
    """
    content = to_onnx(name, program)
    difference = compare(program, content)
    if difference > TOLERANCE:
        raise RunFailure(
            f"{name}.onnx differs by {difference:.1e} from JAX, more than {TOLERANCE}; "
            "nothing was written. Take --formats=safetensors,jax."
        )
    (folder / f"{name}.onnx").write_bytes(content)
    return f"  {name}.onnx: at most {difference:.1e} from JAX in ONNX Runtime"


def to_onnx(name: str, program: Program) -> bytes:
    """Returns the bytes of an ONNX model of a program, for any batch."""
    convert = import_module("jax2onnx").to_onnx
    with _quiet():
        model = convert(
            program.function,
            [
                jax.ShapeDtypeStruct(("batch", *shape), dtype)
                for shape, dtype in program.inputs.values()
            ],
            model_name=f"infogan_jax_{name}",
            opset=OPSET,
            input_names=list(program.inputs),
            output_names=list(program.outputs),
        )
    del model.graph.value_info[:]  # shapes inside, of which some are wrong
    content: bytes = model.SerializeToString()
    return content


def compare(program: Program, onnx: bytes) -> float:
    """Returns the largest difference of ONNX Runtime and JAX over random inputs."""
    runtime = import_module("onnxruntime")
    session = runtime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    inputs = {
        name: rng.integers(0, 2, (CHECKED, *shape)).astype(np.int32)
        if dtype == jnp.int32
        else rng.uniform(0, 1, (CHECKED, *shape)).astype(np.float32)
        for name, (shape, dtype) in program.inputs.items()
    }
    found = session.run(list(program.outputs), inputs)
    expected = jax.jit(program.function)(*inputs.values())
    pairs = zip(found, map(np.asarray, expected), strict=True)
    return max(float(np.abs(one - other).max()) for one, other in pairs)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silences what the converter and its libraries say about their own work."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logging.disable(before)


def _without_paths(config: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the config without the folder of the data, which is nobody's business."""
    return {**config, "data": {**config["data"], "directory": ""}}


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
