"""How programs are compiled, and where they are kept for the next process.

Two things are kept in the user's cache directory: what XLA has compiled, by JAX's own
cache, which has to trace and lower a function before it can find it; and whole
programs, which are found by what they would be traced from.
"""

import contextlib
import hashlib
import json
import os
import pickle
import platform
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import jaxlib
from jax.experimental import serialize_executable
from jax.sharding import NamedSharding

PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy")
_SETTINGS = ("XLA_", "LIBTPU_")
PROGRAMS = 32
"""So many whole programs are kept, those used last."""


def keep_compiled_programs() -> None:
    """Turns on JAX's compilation cache in the user's cache directory.

    It is keyed by the versions of JAX and the CPU's features besides JAX's own
    key, because programs compiled for one CPU can crash on another. A directory
    that the user has set (JAX_COMPILATION_CACHE_DIR) is left alone.
    """
    if jax.config.values["jax_compilation_cache_dir"] is not None:
        return
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    key = f"{jaxlib.__version__}-{hashlib.sha256(_cpu_features()).hexdigest()[:12]}"
    jax.config.update(
        "jax_compilation_cache_dir", str(root / "infogan_jax" / "compiled" / key)
    )
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def _cpu_features() -> bytes:
    try:
        lines = Path("/proc/cpuinfo").read_bytes().splitlines()
    except OSError:
        return platform.processor().encode()
    return next((line for line in lines if line.startswith((b"flags", b"Feat"))), b"")


def threads() -> int | None:
    """How many threads this process may run at once."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


def jit_for_once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiles what runs a single time: on a CPU in half the time, to the same bits."""
    return _jit(function, {"xla_backend_optimization_level": 1})


def jit_loop(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Compiles a loop: on a CPU it copies what it carries only where it must."""
    in_place = {"xla_cpu_copy_insertion_use_region_analysis": True}
    return _jit(function, in_place, **options)


def _jit(
    function: Callable[..., Any], on_cpu: Mapping[str, Any], **options: Any
) -> Callable[..., Any]:
    """`jax.jit`, with compiler options for a CPU that XLA_FLAGS does not set."""
    flags = os.environ.get("XLA_FLAGS", "")
    chosen = {name: value for name, value in on_cpu.items() if name not in flags}
    is_cpu = jax.default_backend() == "cpu"
    return jax.jit(function, compiler_options=chosen if is_cpu else None, **options)


def kept_whole(jitted: Any, traced_from: Mapping[str, Any]) -> Callable[..., Any]:
    """A function whose program the next process loads, and neither traces nor lowers.

    Args:
      jitted: what `jit_for_once` or `jit_loop` returned. Its arguments must be JAX's
        arrays, of the same shapes and shardings in every call.
      traced_from: all that decides what is traced, besides the source of this package,
        the versions of what it uses, the devices, and JAX's settings; of JSON.

    Returns:
      `jitted`, which finds its program in JAX's cache directory, or leaves it there.
      Where there is no such directory, or several processes, it is compiled as usual.
    """
    programs: list[Callable[..., Any]] = []

    def call(*arguments: Any) -> Any:
        if not programs:
            place = _place(traced_from, arguments)
            program = place and _load(place, arguments)
            programs.append(program or _compile(jitted, arguments, place))
        return programs[0](*arguments)

    return call


def _place(traced_from: Mapping[str, Any], arguments: Any) -> Path | None:
    directory = jax.config.values["jax_compilation_cache_dir"]
    on = jax.config.values["jax_enable_compilation_cache"]
    if not (directory and on) or "://" in directory or jax.process_count() > 1:
        return None
    leaves, tree = jax.tree.flatten(arguments)
    described = (
        json.dumps(traced_from, sort_keys=True),
        _source(),
        [version(name) for name in PACKAGES],
        [(d.device_kind, d.client.platform_version) for d in jax.devices()],
        sorted((name, str(value)) for name, value in jax.config.values.items()),
        sorted(item for item in os.environ.items() if item[0].startswith(_SETTINGS)),
        (_cpu_features(), threads(), os.environ.get("NPROC")),
        (str(tree), [(str(jax.typeof(a)), str(a.sharding)) for a in leaves]),
    )
    key = hashlib.sha256(repr(described).encode()).hexdigest()
    return Path(directory, "whole", f"{key}.pickle")


@cache
def _source() -> str:
    """A digest of every module of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _load(place: Path, arguments: Any) -> Callable[..., Any] | None:
    sharding = jax.tree.leaves(arguments)[0].sharding
    several = isinstance(sharding, NamedSharding)
    devices = sharding.mesh.devices.flat if several else sharding.device_set
    try:
        content, in_tree, out_tree = pickle.loads(place.read_bytes())
        program = serialize_executable.deserialize_and_load(
            content, in_tree, out_tree, execution_devices=list(devices)
        )
        place.touch()
    except Exception:  # whatever is wrong with a kept program: it is compiled again
        return None
    return program


def _compile(jitted: Any, arguments: Any, place: Path | None) -> Callable[..., Any]:
    """Compiles it, and keeps it unless it comes from JAX's cache.

    A CPU's program that was read is not whole when it is written again: it loads, but
    lacks some of its functions (jaxlib 0.10.2).
    """
    lowered, read = jitted.lower(*arguments), []

    def listen(event: str, **_: Any) -> None:
        read.append(event.endswith("/cache_hits"))

    jax.monitoring.register_event_listener(listen)
    try:
        compiled = lowered.compile()
    finally:
        jax.monitoring.unregister_event_listener(listen)
    if place is not None and not any(read):
        _keep(compiled, place)
    return compiled


def _keep(compiled: jax.stages.Compiled, place: Path) -> None:
    """Writes a program down, or leaves nothing where it or the disk does not let it."""
    unfinished = place.with_suffix(f".{os.getpid()}")
    try:
        content = pickle.dumps(serialize_executable.serialize(compiled))
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(content)
        unfinished.replace(place)
        programs = sorted(place.parent.glob("*.pickle"), key=os.path.getmtime)
        for old in programs[:-PROGRAMS]:
            old.unlink(missing_ok=True)
    except (OSError, RuntimeError, TypeError, ValueError):
        with contextlib.suppress(OSError):
            unfinished.unlink()
