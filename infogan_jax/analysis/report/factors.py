"""Disentanglement scores, and the best code of each factor, where factors are known.

Q predicts the codes of an image: the mean of a continuous code, in units of the prior's
standard deviation, and the most probable category of a categorical code. Categories
have no order, so the two scores of a linear classifier use their probabilities instead.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from infogan_jax.analysis import encode
from infogan_jax.analysis.metrics.disentanglement.beta_vae import beta_vae
from infogan_jax.analysis.metrics.disentanglement.dci import TREES, dci
from infogan_jax.analysis.metrics.disentanglement.explicitness import explicitness
from infogan_jax.analysis.metrics.disentanglement.factor_vae import factor_vae
from infogan_jax.analysis.metrics.disentanglement.mig import mig
from infogan_jax.analysis.metrics.disentanglement.modularity import modularity
from infogan_jax.analysis.metrics.disentanglement.sap import sap
from infogan_jax.analysis.metrics.disentanglement.tables import (
    BINS,
    Codes,
    Factors,
    varying,
)
from infogan_jax.analysis.report import factor_relations
from infogan_jax.analysis.report.section import Measure, Measures, Section, Table
from infogan_jax.analysis.trained_model import TrainedModel
from infogan_jax.model import latents
from infogan_jax.model.latents import LatentSpec

Columns = Float[np.ndarray, "n columns"]
Scores = dict[str, tuple[float, str]]
"""By name, the value of each score and how it was computed."""


def measure(model: TrainedModel) -> Section:
    """Measures all disentanglement scores on the images of the test split."""
    factors = model.test.factors
    if factors is None:
        return Section(left_out="the true factors of the images are not known")
    if not model.spec.codes:
        return Section(left_out="there is no code")
    codes, columns = code_tables(model.spec, model.test_outputs.outputs)
    try:
        varying(codes, factors)
    except ValueError as error:
        return Section(left_out=str(error))
    images = (
        f"{codes.shape[1]} codes and {factors.shape[1]} factors of "
        f"{model.test_description}; codes are Q's means in prior sd, or"
    )
    single = single_code_scores(codes, factors, model.seed)
    linear = all_code_scores(columns, factors, model.seed)
    related, tables = _relations(model) if model.factor_kinds else ({}, {})
    return Section(
        related
        | _measures(single, f"{images} most probable categories")
        | _measures(linear, f"{images} probabilities of categories"),
        tables,
    )


def _relations(model: TrainedModel) -> tuple[Measures, dict[str, Table]]:
    outputs = jnp.asarray(model.test_outputs.outputs)
    predictions = encode.predictions(latents.posterior(model.spec, outputs))
    return factor_relations.measure(
        predictions, model.test, model.factor_names, model.factor_kinds
    )


def code_tables(
    spec: LatentSpec, outputs: Float[np.ndarray, "n outputs"]
) -> tuple[Codes, Columns]:
    """Returns Q's predictions as two tables with a row for each image.

    In both tables a continuous code is one column: Q's mean over the prior's standard
    deviation. A categorical code is one column in the first table, the most probable
    category (from 0 on) over the prior's standard deviation. In the second table it has
    one column for each category, its probability.
    """
    arrays = encode.posterior_arrays(latents.posterior(spec, jnp.asarray(outputs)))
    single, expanded = [], []
    for code in spec.codes:
        if code.is_categorical:
            values = arrays[f"{code.name}/probabilities"]
            single.append(values.argmax(axis=1)[:, None] / code.prior_sd)
        else:
            values = arrays[f"{code.name}/mean"][:, None] / code.prior_sd
            single.append(values)
        expanded.append(values)
    return np.hstack(single).astype(np.float64), np.hstack(expanded).astype(np.float64)


def single_code_scores(codes: Codes, factors: Factors, seed: int) -> Scores:
    """Returns the scores that use one column for each code, with their protocols.

    Modularity is missing if no code has information about any factor.
    """
    rng = np.random.default_rng(seed)
    importances = dci(codes, factors, rng)
    forest = f"random forest of {TREES} trees"
    bins = f"codes in {BINS} bins of equal width"
    scores = {
        "factor_vae": (
            factor_vae(codes, factors, rng),
            "majority vote of the code that varies least, 64 images a vote",
        ),
        "mig": (mig(codes, factors), bins),
        "sap": (sap(codes, factors, rng), "thresholds on single codes"),
        "dci_disentanglement": (importances.disentanglement, forest),
        "dci_completeness": (importances.completeness, forest),
        "dci_informativeness": (importances.informativeness, f"accuracy of a {forest}"),
    }
    try:
        scores["modularity"] = modularity(codes, factors), bins
    except ValueError:
        pass
    return scores


def all_code_scores(columns: Columns, factors: Factors, seed: int) -> Scores:
    """Returns the scores of a linear classifier on all columns, with protocols."""
    rng = np.random.default_rng(seed)
    return {
        "beta_vae": (
            beta_vae(columns, factors, rng),
            "logistic regression on differences, 64 pairs an example",
        ),
        "explicitness": (
            explicitness(columns, factors, rng),
            "2 AUC - 1 of logistic regression",
        ),
    }


def _measures(scores: Scores, images: str) -> Measures:
    return {
        name: Measure(value, "index", f"{how}, on {images}")
        for name, (value, how) in scores.items()
    }
