"""The data of a run: which images it has, and which of them are held out.

A run records a digest of every image. So it knows its data again at another path, under
other file names or in another order, and puts it back into the recorded order. Data
that has changed is refused with a count of what has changed, or accepted on demand;
what was held out stays held out. Where images are drawn by weight, the run keeps the
weights, draws by the same ones when it goes on, and refuses others.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt64

from infogan_jax.data.dataset import (
    Dataset,
    Split,
    joint_digest,
    row_digests,
    weights_digest,
)
from infogan_jax.errors import UserError
from infogan_jax.run.files import write_bytes, write_json

RECORD = "data.json"
"""What is known of the data without it: shape, numbers of images, classes, digest."""

DIGESTS = "image_digests.npz"

WEIGHTS = "weights.npy"
"""The weights by which training images are drawn, in their recorded order, if any."""

Digests = UInt64[np.ndarray, "n"]


class Identity(NamedTuple):
    """The digests of all images of a data set, in their order.

    Attributes:
      train: of the training images.
      test: of the held-out ones.
    """

    train: Digests
    test: UInt64[np.ndarray, "m"]

    @property
    def every(self) -> Digests:
        """Those of both splits, the training images first."""
        return np.concatenate([self.train, self.test])

    @property
    def digest(self) -> str:
        """One SHA-256 of all of them, as 64 hexadecimal digits."""
        return joint_digest(*self)


def identify(dataset: Dataset) -> Identity:
    """Returns the digests of all images; those of their pixels may be known already."""
    return Identity(row_digests(dataset.train), row_digests(dataset.test))


def write(workdir: Path, dataset: Dataset, *, again: bool = False) -> None:
    """Records the data of a run; one that is recorded already only where `again`.

    Raises:
      RunFailure: where the files cannot be written.
    """
    if (workdir / DIGESTS).exists() and (workdir / RECORD).exists() and not again:
        return
    identity, content = identify(dataset), io.BytesIO()
    weights = dataset.train.weights
    if weights is not None:
        _write_weights(workdir, weights)
    np.savez(content, **identity._asdict())
    write_bytes(workdir / DIGESTS, content.getvalue())
    about = dataset.provenance
    record = {
        "name": about["name"],
        "image_shape": list(dataset.image_shape),
        "train": len(identity.train),
        "test": len(identity.test),
        "test_is_held_out": about.get("test_is_held_out", True),
        "classes": list(about.get("classes") or []),
        "factor_names": list(dataset.factor_names),
        "digest": identity.digest,
        "rules": about.get("report", {}).get("rules"),
    }
    if weights is not None:
        record["weights"] = weights_digest(weights)
    write_json(workdir / RECORD, record)


def _write_weights(workdir: Path, weights: Float[np.ndarray, "n"]) -> None:
    content = io.BytesIO()
    np.save(content, weights.astype("<f8"))
    write_bytes(workdir / WEIGHTS, content.getvalue())


def read_weights(workdir: Path) -> Float[np.ndarray, "n"] | None:
    """Returns the recorded weights of training images; None where a run has none.

    Raises:
      UserError: where they are gone, damaged, or not those of the record.
    """
    path, digest = workdir / WEIGHTS, read(workdir).get("weights")
    if digest is None and not path.exists():
        return None
    try:
        weights: np.ndarray = np.load(path, allow_pickle=False)
    except (OSError, EOFError, ValueError) as error:
        raise _damaged(path, error) from error
    if digest not in (None, weights_digest(weights)):
        raise _damaged(path, f"its digest is not that in {RECORD}")
    return weights


def is_recorded(workdir: Path) -> bool:
    """Whether a run knows its data again, wherever it lies."""
    return (workdir / DIGESTS).exists()


def read(workdir: Path) -> Mapping[str, Any]:
    """Returns what a run has recorded of its data; nothing where it is an older run.

    Raises:
      UserError: where the record is damaged.
    """
    path = workdir / RECORD
    if not path.exists():
        return {}
    try:
        record = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise _damaged(path, error) from error
    if not isinstance(record, dict):
        raise _damaged(path, "it must be a JSON object")
    return record


def recognise(workdir: Path, dataset: Dataset, *, accept: bool = False) -> Dataset:
    """Returns a data set with its images in the order that the run has recorded.

    Where the run has weights and the data set has none, it gets those of the run.

    Args:
      workdir: of the run, or of a new one, whose data is returned as it is.
      dataset: as it was read now.
      accept: whether to take data that has changed. Images that were held out stay
        held out; new ones are for training. It is refused where images have weights.

    Raises:
      UserError: where the data has changed and is not accepted, nothing that was held
        out is left in it, or its weights are not those of the run.
    """
    if not is_recorded(workdir):
        return dataset
    weights = read_weights(workdir)
    known = _in_recorded_order(workdir, dataset, accept, weights is not None)
    if known.train.weights is None and weights is not None:
        return replace(known, train=replace(known.train, weights=weights))
    if not _equal(known.train.weights, weights):
        recorded = "no weights" if weights is None else f"those of {workdir / WEIGHTS}"
        raise UserError(
            f"the training images have other weights than the run in --workdir "
            f"(={workdir}) began with, which has {recorded}; go on with these, or use "
            "another --workdir."
        )
    return known


def _equal(
    given: Float[np.ndarray, "n"] | None, recorded: Float[np.ndarray, "m"] | None
) -> bool:
    if given is None or recorded is None:
        return given is recorded
    return np.array_equal(given, recorded)


def _in_recorded_order(
    workdir: Path, dataset: Dataset, accept: bool, is_weighted: bool
) -> Dataset:
    known, now = _read_digests(workdir / DIGESTS), identify(dataset)
    if now.digest == known.digest:
        return dataset
    rows = _find(known.every, now.every)
    gone, count = int(np.sum(rows < 0)), len(known.train)
    new = np.setdiff1d(np.arange(len(now.every)), rows)
    if (gone or len(new)) and (is_weighted or not accept):
        way = (
            "or train on it with --accept_data, which keeps held out what was held out;"
            if not is_weighted
            else "new images would have no weight to be drawn by;"
        )
        raise UserError(
            f"the data of --workdir (={workdir}) has changed since the run began: of "
            f"its {len(rows)} images {gone} are gone or edited (or have another "
            f"label), and {len(new)} are new. Put the data back as it was; {way} or "
            f"train a new run with --init_from={workdir} and another --workdir."
        )
    train, test = rows[:count], rows[count:]
    train, test = np.concatenate([train[train >= 0], new]), test[test >= 0]
    if not len(test) or not len(train):
        raise UserError(
            f"the data of --workdir (={workdir}) has none of the images left that were "
            f"{'trained on' if len(test) else 'held out'}; train a new run with "
            f"--init_from={workdir} and another --workdir."
        )
    held_out = replace(_take(dataset, test), weights=None)
    return replace(dataset, train=_take(dataset, train), test=held_out)


def _find(wanted: Digests, among: UInt64[np.ndarray, "m"]) -> Int[np.ndarray, "n"]:
    """Returns the place of each digest among others, -1 for none, and none twice."""
    places: dict[int, list[int]] = {}
    for place, digest in enumerate(among.tolist()):
        places.setdefault(digest, []).append(place)
    for same in places.values():
        same.reverse()
    found = (places.get(digest) for digest in wanted.tolist())
    return np.array([same.pop() if same else -1 for same in found], np.int64)


def _take(dataset: Dataset, rows: Int[np.ndarray, "n"]) -> Split:
    """Returns a split of images that are given as rows of both splits together."""
    count = len(dataset.train.images)
    in_train = rows < count

    def column(name: str) -> Any:
        train, test = getattr(dataset.train, name), getattr(dataset.test, name)
        if name == "weights" and train is not None:
            test = np.zeros(len(dataset.test.images))  # held-out images are not drawn
        if train is None or test is None:
            return None
        if name == "names":
            together = [*train, *test]
            return [together[row] for row in rows]
        taken = np.empty((len(rows), *train.shape[1:]), train.dtype)
        taken[in_train] = train[rows[in_train]]
        taken[~in_train] = test[rows[~in_train] - count]
        return taken

    return Split(**{field.name: column(field.name) for field in fields(Split)})


def _read_digests(path: Path) -> Identity:
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            identity = Identity(arrays["train"], arrays["test"])
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _damaged(path, error) from error
    if any(part.dtype != np.uint64 or part.ndim != 1 for part in identity):
        raise _damaged(path, "it must hold two rows of 64-bit numbers")
    return identity


def _damaged(path: Path, reason: object) -> UserError:
    return UserError(
        f"{path} cannot be read ({reason}); restore a copy, or remove it where you are "
        "sure that the data is what it was."
    )
