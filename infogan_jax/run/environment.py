"""What a run depends on besides its config: versions, devices, commit, the data."""

import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from infogan_jax.machine import compilation, processes
from infogan_jax.run.files import write_bytes, write_json
from infogan_jax.version import __version__

ENVIRONMENT = "environment.json"
UNREADABLE = "unreadable.txt"
PACKAGES = ("jax", "jaxlib", "flax", "optax", "numpy", "orbax-checkpoint")


def write_environment(workdir: Path, provenance: Mapping[str, Any]) -> None:
    """Writes `environment.json`: versions, devices, commit, and the data.

    Files of the data that could not be read are listed in `unreadable.txt`, one
    `name: reason` a line, and counted in the record and in a line on stdout. Of
    several processes only the first does so.
    """
    if not processes.is_first():
        return
    data, place = dict(provenance), workdir / UNREADABLE
    place.unlink(missing_ok=True)
    if left_out := data.get("unreadable"):
        lines = "".join(f"{_printable(line)}\n" for line in left_out)
        write_bytes(place, lines.encode())
        print(f"unreadable files left out: {len(left_out)}, see {place}", flush=True)
        data["unreadable"] = len(left_out)
    write_json(workdir / ENVIRONMENT, _environment() | {"data": data})


def _printable(text: str) -> str:
    """Returns one line that is UTF-8, whatever bytes a file name had."""
    return "".join(
        char if char.isprintable() and char != "\\" else repr(char)[1:-1]
        for char in text
    )


def _environment() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "devices": [device.device_kind for device in jax.devices()],
        "processes": jax.process_count(),
        "threads": len(compilation.available_cores()),
        "machine": f"{platform.system()} {platform.machine()}",
        "version": __version__,
        "commit": _commit(),
    }


def _commit() -> str | None:
    """Returns the commit of a checkout; None where the package is installed."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    git = ["git", "-C", str(root), "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(git, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
