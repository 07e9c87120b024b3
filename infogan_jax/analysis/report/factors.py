"""Disentanglement, where the true factors of the images are known.

A code is what Q reads: its mean in units of the prior's standard deviation, or its
most probable category. A categorical code has no order, so the two scores that hand
all codes to a linear classifier are given its probabilities instead.
"""

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from infogan_jax.analysis import encode
from infogan_jax.analysis.metrics.disentanglement.beta_vae import beta_vae
from infogan_jax.analysis.metrics.disentanglement.dci import TREES, dci
from infogan_jax.analysis.metrics.disentanglement.explicitness import explicitness
from infogan_jax.analysis.metrics.disentanglement.factor_vae import factor_vae
from infogan_jax.analysis.metrics.disentanglement.mig import mig
from infogan_jax.analysis.metrics.disentanglement.modularity import modularity
from infogan_jax.analysis.metrics.disentanglement.sap import sap
from infogan_jax.analysis.metrics.disentanglement.tables import BINS, varying
from infogan_jax.analysis.report.section import Measure, Measures, Section
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.model import latents
from infogan_jax.model.latents import Code, LatentSpec

PRIOR_SD = {"uniform": 1.0 / math.sqrt(3.0), "gaussian": 1.0}

Codes = Float[np.ndarray, "n codes"]
Columns = Float[np.ndarray, "n columns"]
Factors = Int[np.ndarray, "n factors"]


def measure(model: TrainedModel) -> Section:
    """All scores on the images of the test split."""
    factors = model.test.factors
    if factors is None:
        return Section(left_out="the true factors of the images are not known")
    if not model.spec.codes:
        return Section(left_out="there is no code")
    codes, spread = columns(model.spec, model.test_outputs.outputs)
    try:
        varying(codes, factors)
    except ValueError as error:
        return Section(left_out=str(error))
    of = f"{codes.shape[1]} codes and {factors.shape[1]} factors of {model.test_images}"
    return Section(
        single_code_scores(codes, factors, model.seed, of)
        | all_code_scores(spread, factors, model.seed, of)
    )


def columns(
    spec: LatentSpec, outputs: Float[np.ndarray, "n outputs"]
) -> tuple[Codes, Columns]:
    """What Q reads, with one column a code, and with one a category.

    Returns:
      Two tables in which a continuous code is Q's mean over the prior's standard
      deviation. A categorical code is its most probable category, from 0 on and over
      the prior's standard deviation, in the first; its probabilities in the second.
    """
    read = encode.posterior_arrays(latents.posterior(spec, jnp.asarray(outputs)))
    single, spread = [], []
    for code in spec.codes:
        if code.is_categorical:
            values = read[f"{code.name}/probabilities"]
            single.append(values.argmax(axis=1)[:, None] / _prior_sd(code))
        else:
            values = read[f"{code.name}/mean"][:, None] / _prior_sd(code)
            single.append(values)
        spread.append(values)
    return np.hstack(single).astype(np.float64), np.hstack(spread).astype(np.float64)


def _prior_sd(code: Code) -> float:
    if code.is_categorical:
        return math.sqrt(max(code.size**2 - 1, 1) / 12.0)
    return PRIOR_SD[code.kind]


def single_code_scores(codes: Codes, factors: Factors, seed: int, of: str) -> Measures:
    """The scores that look at one code at a time.

    Modularity is missing where no code tells anything of a factor.

    Args:
      codes: one column a code.
      factors: the value of each factor.
      seed: of what the scores draw.
      of: the images, in words.
    """
    rng = np.random.default_rng(seed)
    scores = dci(codes, factors, rng)
    forest = f"random forest of {TREES} trees"
    bins = f"codes in {BINS} bins of equal width"
    found = {
        "factor_vae": (
            factor_vae(codes, factors, rng),
            "majority vote of the code that varies least, 64 images a vote",
        ),
        "mig": (mig(codes, factors), bins),
        "sap": (sap(codes, factors, rng), "thresholds on single codes"),
        "dci_disentanglement": (scores.disentanglement, forest),
        "dci_completeness": (scores.completeness, forest),
        "dci_informativeness": (scores.informativeness, f"accuracy of a {forest}"),
    }
    try:
        found["modularity"] = modularity(codes, factors), bins
    except ValueError:
        pass
    read = "Q's means in prior sd, or most probable categories"
    return _measures(found, f"{of}; {read}")


def all_code_scores(spread: Columns, factors: Factors, seed: int, of: str) -> Measures:
    """The scores of a linear classifier on all codes.

    Args:
      spread: one column a continuous code, and one a category.
      factors: the value of each factor.
      seed: of what the scores draw.
      of: the images, in words.
    """
    rng = np.random.default_rng(seed)
    found = {
        "beta_vae": (
            beta_vae(spread, factors, rng),
            "logistic regression on differences, 64 pairs a point",
        ),
        "explicitness": (
            explicitness(spread, factors, rng),
            "2 AUC - 1 of logistic regression",
        ),
    }
    read = "Q's means in prior sd, or probabilities of categories"
    return _measures(found, f"{of}; {read}")


def _measures(found: dict[str, tuple[float, str]], of: str) -> Measures:
    return {
        name: Measure(value, "index", f"{how}, on {of}")
        for name, (value, how) in found.items()
    }
