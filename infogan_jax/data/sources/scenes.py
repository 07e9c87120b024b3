"""Data sets that are rendered by index, with the exact factors of every picture.

A scene has factors, and numbers that say everything else about a picture. The index of
a picture is a combination of the factors' cells, of which each occurs once. The numbers
and the place of a factor within its cell are a function of the index (SplitMix64,
Steele 2014). So any picture is rendered without the others.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, UInt8

from infogan_jax.data import held_out, prepared
from infogan_jax.data.dataset import (
    CIRCLE,
    LINE,
    Dataset,
    Request,
    Split,
    scramble,
)
from infogan_jax.data.prepared import Block
from infogan_jax.data.rendering import Rules
from infogan_jax.data.survey import Task

SMALL = 256
"""The number of images of the data set `small`."""

Given = Mapping[str, Float[Array, ""]]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_NUMBERS = 64  # of an index, at most


class Factor(NamedTuple):
    """What a picture is asked for.

    Attributes:
      name: of the factor.
      cells: how many values it has, or into how many equal parts its range is divided.
      low: the least value.
      high: the largest one; of a circle the one that is `low` again.
      kind: `dataset.LINE`, `dataset.CIRCLE` or `dataset.CATEGORY`.
      is_continuous: whether a value lies anywhere in its cell.
    """

    name: str
    cells: int
    low: float
    high: float
    kind: str = LINE
    is_continuous: bool = True


@dataclass(frozen=True, eq=False)
class Scene:
    """A data set that is rendered.

    Attributes:
      name: of the source.
      version: of the renderer; it increases with any change of a pixel.
      size: side of the square pictures, in pixels.
      factors: the one that changes fastest with the index last.
      numbers: the range of each other number, by name.
      draw: makes one picture, gray in [0, 1], from factors and numbers by name.
    """

    name: str
    version: int
    size: int
    factors: tuple[Factor, ...]
    numbers: Mapping[str, tuple[float, float]]
    draw: Callable[[Given], Float[Array, "size size"]]

    @property
    def cells(self) -> tuple[int, ...]:
        """The number of cells of each factor; their product is the number of images."""
        return tuple(factor.cells for factor in self.factors)

    @property
    def total(self) -> int:
        """The number of images."""
        return int(np.prod(self.cells))


def factors(scene: Scene, indices: Int[np.ndarray, "n"]) -> Int[np.ndarray, "n k"]:
    """Returns the cell of every factor of pictures, each counted from 0.

    Raises:
      ValueError: if an index is not from 0 to `scene.total - 1`.
    """
    return np.stack(np.unravel_index(indices, scene.cells), axis=1).astype(np.int32)


def indices(scene: Scene, factors: Int[np.ndarray, "n k"]) -> Int[np.ndarray, "n"]:
    """Returns the index of the picture of each combination of cells."""
    return np.ravel_multi_index(tuple(factors.T), scene.cells)


def values(scene: Scene, indices: Int[np.ndarray, "n"]) -> Float[np.ndarray, "n k"]:
    """Returns the exact value of every factor, in its own unit."""
    columns = []
    for place, (factor, cell) in enumerate(
        zip(scene.factors, factors(scene, indices).T, strict=True)
    ):
        if factor.is_continuous:
            share = (cell + _uniform(indices, place)) / factor.cells
        else:
            share = cell / max(factor.cells - (factor.kind != CIRCLE), 1)
        columns.append(factor.low + share * (factor.high - factor.low))
    return np.stack(columns, axis=1)


def describe(scene: Scene, indices: Int[np.ndarray, "n"]) -> list[dict[str, float]]:
    """Returns all that each picture is drawn from, factors and numbers, by name."""
    columns = [*values(scene, indices).T]
    for place, (low, high) in enumerate(scene.numbers.values(), len(columns)):
        columns.append(low + _uniform(indices, place) * (high - low))
    names = [*(factor.name for factor in scene.factors), *scene.numbers]
    rows = np.stack(columns, axis=1).tolist()
    return [dict(zip(names, row, strict=True)) for row in rows]


def draw(scene: Scene, given: Mapping[str, float]) -> UInt8[np.ndarray, "side side 1"]:
    """Draws one picture, on the CPU: so its bytes do not depend on an accelerator."""
    with jax.default_device(_cpu()):
        floats = {name: jnp.float32(value) for name, value in given.items()}
        return np.asarray(_drawing(scene)(floats))[..., None]


def render(
    scene: Scene, indices: Int[np.ndarray, "n"]
) -> UInt8[np.ndarray, "n side side 1"]:
    """Draws pictures; none depends on the others."""
    images = np.zeros((len(indices), scene.size, scene.size, 1), np.uint8)
    for image, given in zip(images, describe(scene, indices), strict=True):
        image[...] = draw(scene, given)
    return images


@lru_cache(maxsize=4)
def _drawing(scene: Scene) -> Callable[[Given], UInt8[Array, "side side"]]:
    def to_bytes(given: Given) -> UInt8[Array, "side side"]:
        return jnp.round(255 * scene.draw(given)).astype(jnp.uint8)

    return jax.jit(to_bytes)


def _cpu() -> jax.Device:
    try:
        return jax.local_devices(backend="cpu")[0]
    except RuntimeError:  # it was switched off
        return jax.local_devices()[0]


def _uniform(indices: Int[np.ndarray, "n"], place: int) -> Float[np.ndarray, "n"]:
    """Returns one number in [0, 1) for every index; `place` says which one."""
    counters = indices.astype(np.uint64) * np.uint64(_NUMBERS) + np.uint64(place + 1)
    return (scramble(counters * _GOLDEN) >> np.uint64(11)) * 2.0**-53


def load(scene: Scene, request: Request) -> Dataset:
    """Loads all pictures of a scene, or `small`: 256 of them for a run of seconds.

    A fixed random share, `request.held_out`, is held out. The pictures are drawn once
    into a file, which is then mapped; those of `small` are drawn in memory.

    Args:
      scene: the data set.
      request: `name` is "" or "small"; `directory` is where the file is kept, or "" for
        the user's cache directory.

    Raises:
      UserError: for another name, or another crop, size or number of channels.
      RunFailure: if the file cannot be written.
    """
    supported = {"name": ("", "small"), "channels": (0, 1)}
    supported |= {name: (0, scene.size) for name in ("crop", "size")}
    side = scene.size
    request.check(supported, f"{scene.name}, which are drawn at {side} x {side} x 1")
    order = held_out.order(scene.total)
    order = order[:SMALL] if request.name else order
    held = held_out.count(len(order), request.held_out)
    rows = {"train": np.sort(order[held:]), "test": np.sort(order[:held])}
    made, digests = (
        _in_memory(scene, rows) if request.name else _prepared(scene, rows, request)
    )
    splits = {
        part: replace(
            split,
            factors=factors(scene, rows[part]),
            factor_values=values(scene, rows[part]),
        )
        for part, split in made.items()
    }
    provenance = {
        "name": "_".join(filter(None, (scene.name, request.name))),
        "source": f"{scene.name}, renderer {scene.version}",
        "train": len(rows["train"]),
        "test": len(rows["test"]),
        "sha256": digests,
    }
    return Dataset(
        splits["train"],
        splits["test"],
        provenance,
        tuple(factor.name for factor in scene.factors),
        tuple(factor.kind for factor in scene.factors),
    )


Rows = Mapping[str, Int[np.ndarray, "_"]]


def _in_memory(scene: Scene, rows: Rows) -> tuple[dict[str, Split], dict[str, str]]:
    images = {part: render(scene, indices) for part, indices in rows.items()}
    digests = {
        part: hashlib.sha256(each.tobytes()).hexdigest()
        for part, each in images.items()
    }
    return {part: Split(each) for part, each in images.items()}, digests


def _prepared(
    scene: Scene, rows: Rows, request: Request
) -> tuple[dict[str, Split], dict[str, str]]:
    """Returns the splits, mapped from a file, and the SHA-256 of their images."""
    recipe = {
        "name": scene.name,
        "renderer": scene.version,
        "held_out": request.held_out,
    }
    facts: dict[str, Any] = {"rules": Rules().record()}
    blocks = {
        part: Block(len(indices), partial(_tasks, scene, indices))
        for part, indices in rows.items()
    }
    cache = request.directory or request.cache
    splits, record = prepared.prepare(
        replace(request, cache=cache), recipe, blocks, lambda: facts
    )
    return splits, {part: record["splits"][part]["sha256"] for part in rows}


def _tasks(scene: Scene, indices: Int[np.ndarray, "n"], first: int) -> Iterator[Task]:
    for given in describe(scene, indices[first:]):
        yield Task("one", partial(draw, scene, given))
