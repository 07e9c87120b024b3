"""Trains generators one after another, each where those before it miss the data.

AdaGAN (Tolstikhin et al. 2017): the next component is trained on images that are drawn
by weight. The weights are large where a classifier tells the data from the mixture of
all components so far.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from infogan_jax import experiment, training
from infogan_jax.analysis import density_ratio, modes
from infogan_jax.analysis.density_ratio import STEPS
from infogan_jax.analysis.metrics import boosting
from infogan_jax.analysis.modes import Measures
from infogan_jax.data.dataset import Dataset, weights_digest
from infogan_jax.errors import UserError
from infogan_jax.experiment import NO_EXTENSIONS, Experiment, Extensions
from infogan_jax.fields import DEFAULTS
from infogan_jax.machine import compilation, processes
from infogan_jax.restoring import restore
from infogan_jax.run import data_record, run_directory
from infogan_jax.run.progress import say
from infogan_jax.several import boosting_pictures, boosting_record
from infogan_jax.several.boosting_record import RECORD, Round
from infogan_jax.several.mixture import Component, Mixture


@dataclass(frozen=True)
class Boosting:
    """The fixed parts of all rounds.

    Attributes:
      exp: the experiment that every component is, with the seed of the first.
      config: of it, nested.
      workdir: where the runs go.
      extensions: what the user's program adds.
      rounds: how many components there will be.
      beta: the share of each new component; None is 1/t for component t.
      reweight: whether the later components are trained on weighted draws.
      steps: of the classifiers.
    """

    exp: Experiment
    config: Mapping[str, Any]
    workdir: Path
    extensions: Extensions
    rounds: int
    beta: float | None
    reweight: bool
    steps: int

    @property
    def options(self) -> dict[str, Any]:
        """What decides the mixture besides the config."""
        return {"beta": self.beta, "reweight": self.reweight}

    def share(self, number: int) -> float:
        """The share beta_t that component `number` has when it is added."""
        if number == 1:
            return 1.0
        return 1.0 / number if self.beta is None else self.beta

    @cached_property
    def measured(self) -> Measures | None:
        """What is measured of the mixture; its classifier is fitted when first used."""
        return modes.measures(self.exp.dataset, steps=self.steps)

    def say(self, number: int, text: str) -> None:
        say(f"round {number} of {self.rounds}: {text}")


def run(
    config: Mapping[str, Any],
    workdir: Path,
    rounds: int,
    *,
    beta: float | None = None,
    reweight: bool = True,
    extensions: Extensions = NO_EXTENSIONS,
    classifier_steps: int = STEPS,
) -> int:
    """Trains the components of a mixture, or goes on with them.

    The first component is the run of the config itself; the seeds of the others count
    up from it. More rounds, asked for later, add components.

    Writes `round_<t>/`, a run directory each with its `weights.npy`, and `boost.json`
    with lambda*, weights and measures of each round; and `samples.png` and
    `rounds.png`, for points `points.png` as well.

    Args:
      config: as in `configs/`, nested.
      workdir: new, empty, or of an earlier call with the same config.
      rounds: how many components, 1 at least.
      beta: the share of each new component, in (0, 1); None is 1/t for component t, so
        that all have equal shares in the end.
      reweight: whether the later components are trained where the mixture misses the
        data. If not, it is an ensemble of seeds, with which to compare.
      extensions: what your program adds.
      classifier_steps: steps of the classifiers of data and mixture.

    Returns:
      The exit status: 0, or 128 and the number of the signal that stopped it.

    Raises:
      UserError: for a mistake, before anything is compiled.
      RunFailure: where a component diverges.
    """
    processes.refuse_several()
    compilation.use_persistent_cache()
    _check(rounds, beta)
    load = partial(training.load_for, workdir, False, extensions.load)
    exp = experiment.describe(config, load, extensions)
    experiment.describe({**config, "seed": exp.seed + rounds - 1}, load, extensions)
    known = run_directory.check(workdir, exp.config, DEFAULTS)
    boost = Boosting(
        exp, config, workdir, extensions, rounds, beta, reweight, classifier_steps
    )
    record = boosting_record.known_rounds(workdir, known, exp.steps, boost.options)
    _ = exp.dataset  # read before anything is written
    with run_directory.open_for_training(workdir, exp.config, DEFAULTS):
        data_record.write(workdir, exp.dataset)
        return _run_rounds(boost, record)


def _check(rounds: int, beta: float | None) -> None:
    if rounds < 1:
        raise UserError(f"--rounds (={rounds}) must be at least 1; 5 is a start.")
    if beta is not None and not 0.0 < beta < 1.0:
        raise UserError(
            f"--beta (={beta:g}) must be between 0 and 1, the share of each new "
            "component; leave it out for 1/t."
        )


def _run_rounds(boost: Boosting, record: list[Round]) -> int:
    """Trains and measures what is missing; returns the exit status."""
    components: list[Component] = []
    for number in range(1, boost.rounds + 1):
        if len(record) < number or "measures" not in record[number - 1]:
            about, weights = _begin(boost, number, components, record)
            record[number - 1 :] = [about]
            _write(boost, record)
            if status := _train(boost, about, weights):
                return status
        about = record[number - 1]
        run = boost.workdir / about["run"]
        components.append(Component(*restore(run, extensions=boost.extensions)))
        if "measures" not in about:
            _finish(boost, record, components)
    _measure_components(boost, record, components)
    say(f"{boost.rounds} components; see {boost.workdir}/samples.png and {RECORD}")
    return 0


def _begin(
    boost: Boosting, number: int, components: list[Component], record: list[Round]
) -> tuple[Round, Float[np.ndarray, "n"] | None]:
    """Returns what is known of a round before it trains, and the weights of images.

    A round that has begun goes on with its recorded weights.
    """
    about: Round = {
        "round": number,
        "run": f"round_{number}",
        "seed": boost.exp.seed + number - 1,
        "beta": boost.share(number),
    }
    if number == 1 or not boost.reweight:
        return about, None
    run = boost.workdir / about["run"]
    if data_record.is_recorded(run) and len(record) >= number:
        return record[number - 1], data_record.read_weights(run)
    mixture = _mixture(components, record)
    images = boost.exp.dataset.train.images
    ratios = density_ratio.ratios(
        images,
        mixture.sample(len(images), about["seed"]).images,
        about["seed"],
        mixture.layers,
        boost.steps,
    )
    weights, level = boosting.optimal_weights(ratios.values, about["beta"])
    about |= {
        "lambda": level,
        "images": len(weights),
        "images_of_weight_0": int(np.sum(weights == 0)),
        "effective_size": boosting.effective_size(weights),
        "classifier_accuracy": ratios.accuracy,
        "weights_sha256": weights_digest(weights),
    }
    boost.say(
        number,
        f"lambda* {level:.3f}; {about['images_of_weight_0']:,} of {len(weights):,} "
        f"images have weight 0; effective sample size {about['effective_size']:,.0f}; "
        f"data and mixture are told apart with accuracy {ratios.accuracy:.3f}",
    )
    return about, weights


def _train(
    boost: Boosting, about: Round, weights: Float[np.ndarray, "n"] | None
) -> int:
    """Trains the component of a round, or goes on with it; returns the status."""
    dataset: Dataset = boost.exp.dataset
    if weights is not None:
        provenance = {**dataset.provenance, "weights": about["weights_sha256"]}
        train = replace(dataset.train, weights=weights)
        dataset = replace(dataset, train=train, provenance=provenance)
    return training.train(
        {**boost.config, "seed": about["seed"]},
        boost.workdir / about["run"],
        extensions=replace(boost.extensions, dataset=dataset),
    )


def _finish(boost: Boosting, record: list[Round], components: list[Component]) -> None:
    """Adds the component of the last round to the mixture, measures it, and records."""
    about = record[-1]
    betas = [each["beta"] for each in record]
    about["mixture_weights"] = boosting.mixture_weights(betas).tolist()
    mixture = _mixture(components, record)
    alone = Mixture((components[-1],), np.ones(1))
    about["component_measures"] = _measure(boost, alone)
    about["measures"] = _measure(boost, mixture)
    about["measured"] = boost.measured.about if boost.measured else ""
    texts = [
        f"{name} {value:.4g} ({about['component_measures'][name]:.4g} by itself)"
        for name, value in about["measures"].items()
    ]
    boost.say(about["round"], ", ".join(texts) or "trained")
    boosting_pictures.write(boost.workdir, mixture, record)
    _write(boost, record)


def _measure(boost: Boosting, mixture: Mixture) -> dict[str, float]:
    """Returns the measures of a mixture; none where no modes are known."""
    if boost.measured is None:
        return {}
    images = mixture.sample(boost.exp.samples, boost.exp.seed).images
    return boost.measured.of(images)


def _measure_components(
    boost: Boosting, record: list[Round], components: list[Component]
) -> None:
    """Records what an image of the whole mixture says of its component."""
    about, name = record[boost.rounds - 1], "component_information"
    if name not in about:
        mixture = _mixture(components, record)
        about[name] = mixture.component_information()
        _write(boost, record)
    say(
        f"an image says {about[name]:.2f} nats of which component made it; "
        f"ln {boost.rounds} = {np.log(boost.rounds):.2f} would be all there is at "
        "equal shares"
    )


def _mixture(components: list[Component], record: list[Round]) -> Mixture:
    weights = record[len(components) - 1]["mixture_weights"]
    return Mixture(tuple(components), np.array(weights))


def _write(boost: Boosting, rounds: list[Round]) -> None:
    name = boost.exp.config["name"]
    boosting_record.write(boost.workdir, name, boost.options, rounds)
