"""The recipe of the digits learns classes; without L_I in G its codes say nothing.

Run by `make learning`, or in a quarter of the steps by `TORTURE=0.1 make learning`.
"""

import json
import os

import pytest

from configs import digits
from infogan_jax import evaluation, training

STEPS = 1000 if float(os.environ.get("TORTURE", "1")) < 1 else 4000


def measured(workdir, **switches):
    config = digits.get_config()
    config.training.steps = STEPS
    config.update_from_flattened_dict(switches)
    assert training.train(config.to_dict(), workdir) == 0
    evaluation.evaluate(workdir, quick=True)
    record = json.loads((workdir / "evaluation.json").read_text())
    return {name: each["value"] for name, each in record["metrics"].items()}


@pytest.fixture(scope="module")
def infogan(tmp_path_factory):
    """What is measured of the default recipe."""
    return measured(tmp_path_factory.mktemp("learning") / "infogan")


def test_infogan_finds_the_digits_and_its_baseline_does_not(infogan, tmp_path):
    assert infogan["mi_bound/categorical_0"] > 2.1
    assert infogan["accuracy_test"] > 0.75
    off = {"objective.info_to_generator": False, "real_information.weight": 0.0}
    baseline = measured(tmp_path / "baseline", **off)
    assert baseline["mi_bound/categorical_0"] < 0.3
    assert baseline["accuracy_test"] < 0.5


@pytest.mark.skipif(STEPS < 4000, reason="a tenth of the long checks")
def test_every_code_of_the_digits_is_used(infogan):
    bounds = [v for name, v in infogan.items() if name.startswith("mi_bound/uniform")]
    assert len(bounds) == 4 and min(bounds) > 0.3
