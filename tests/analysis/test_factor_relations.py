"""The best code of each factor is found, by its exact values."""

import numpy as np
import pytest
from tiny_model import build_model, network_outputs

from infogan_jax.analysis.report import factor_relations, factors
from infogan_jax.data.dataset import CATEGORY, CIRCLE, LINE, Split

RNG = np.random.default_rng(0)
EXACT = RNG.uniform(0, 10, (400, 3))
CELLS = EXACT.astype(np.int32)
SPLIT = Split(np.zeros((400, 8, 8, 1), np.uint8), None, CELLS, factor_values=EXACT)
NAMES, KINDS = ("length", "turn", "shape"), (LINE, CIRCLE, CATEGORY)
READINGS = {
    "steady": -np.exp(EXACT[:, 0]),
    "turning": (EXACT[:, 1] + 4) % 10,
    "kind": CELLS[:, 0] // 5,
}


def test_each_factor_names_its_code_and_one_without_an_order_is_left_out():
    measures, tables = factor_relations.measure(READINGS, SPLIT, NAMES, KINDS)
    found = {name: (each.value, each.protocol) for name, each in measures.items()}
    assert set(found) == {
        *("factor_spearman/length", "factor_eta_squared/length"),
        *("factor_circular/turn", "factor_half_circle/turn"),
    }
    value, protocol = found["factor_spearman/length"]
    assert value == pytest.approx(1) and "of steady, the best of 2" in protocol
    value, protocol = found["factor_circular/turn"]
    assert value > 0.97 and "of turning, the best of 4" in protocol
    value, protocol = found["factor_eta_squared/length"]
    assert value == pytest.approx(0.75, abs=0.03) and "of kind" in protocol
    table = tables["factors"]
    assert table.rows == tuple(READINGS)
    column = table.columns.index("length, spearman")
    np.testing.assert_allclose(table.values[:, column], [1, 0, 0], atol=0.15)


def test_cells_stand_for_values_where_these_are_not_known():
    split = Split(SPLIT.images, None, CELLS)
    measures, _ = factor_relations.measure(READINGS, split, NAMES, KINDS)
    assert 0.98 < measures["factor_spearman/length"].value < 1


def test_the_report_has_the_relations_where_the_kinds_of_factors_are_known():
    means = np.stack([EXACT[:, 0] / 5 - 1, EXACT[:, 1] / 5 - 1], axis=1)
    outputs = np.stack([means, np.zeros_like(means)], axis=2).reshape(400, -1)
    model = build_model("2 x uniform", SPLIT, test_outputs=network_outputs(outputs))
    assert not factors.measure(model).tables
    known = {"factor_names": NAMES, "factor_kinds": KINDS}
    for name, value in known.items():
        object.__setattr__(model, name, value)
    section = factors.measure(model)
    assert section.measures["factor_spearman/length"].value == pytest.approx(1)
    assert section.tables["factors"].rows == ("uniform_0", "uniform_1")
    assert "mig" in section.measures
