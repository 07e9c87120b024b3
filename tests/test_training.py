"""A run from config to evaluation, and what a resumed run promises."""

from infogan_jax import evaluation, training


def test_a_run_trains_and_is_evaluated(tiny_config, tmp_path):
    assert training.train(tiny_config.to_dict(), tmp_path / "run") == 0
    print(evaluation.evaluate(tmp_path / "run"))
