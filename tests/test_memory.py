"""What training will need is known to a factor of 2 before anything is compiled."""

import jax
import pytest
from tiny import build_tiny

from benchmarks import task
from benchmarks.jax_step import Training
from benchmarks.task import Setting
from configs import digits
from infogan_jax import experiment
from infogan_jax.errors import UserError
from infogan_jax.game import memory_estimate
from infogan_jax.game.real_information.bounds import RealInformation
from infogan_jax.machine import memory

HUGE = {
    "a layer": {"networks.trunk": "fc 999999 lrelu, fc 999999 lrelu"},
    "the generator": {
        "networks.generator": "fc 999999 relu, fc 999999 relu, fc 8x8x1 sigmoid"
    },
    "the noise": {"latents.noise_size": 2**31 - 1},
    "the codes": {"latents.codes": "9999 x categorical(999999)"},
    "the images between": {"networks.trunk": "conv 999999 lrelu, conv 999999 lrelu"},
}


def planned(exp):
    """Bytes of the compiled program: its arguments and its work space."""
    plan = Training(exp).compiled().memory_analysis()
    return plan.argument_size_in_bytes + plan.temp_size_in_bytes


def digits_with(generator):
    config = digits.get_config()
    config.networks.generator = generator
    return experiment.build(config.to_dict())


@pytest.mark.parametrize(
    "make, argument",
    [
        (task.build, Setting("mnist", 64)),
        pytest.param(
            digits_with,
            "fc 2x2x64 relu, upconv 32 s2 bn relu, upconv 1 s2 sigmoid",
            marks=pytest.mark.long,
        ),
    ],
)
def test_the_estimate_is_right_to_a_factor_of_2(make, argument):
    exp = make(argument)
    images = exp.dataset.train.images.nbytes
    estimate = images + memory_estimate.estimate(exp.algorithm, exp.batch_size)
    assert 0.5 <= estimate / planned(exp) <= 2


def test_every_part_counts():
    algorithm = build_tiny()
    small = memory_estimate.estimate(algorithm, 16)
    assert memory_estimate.estimate(algorithm, 160) > 3 * small
    weighted = build_tiny(terms=RealInformation(weight=1.0).terms())
    transformed = memory_estimate.estimate(weighted, 16)
    assert transformed > small
    changed = build_tiny(terms=RealInformation(change_weight=1.0).terms())
    assert memory_estimate.estimate(changed, 16) == transformed


def checked(config):
    return experiment.check_memory(experiment.build(config.to_dict()))


@pytest.mark.parametrize("fields", HUGE.values(), ids=HUGE)
def test_what_no_machine_can_hold_is_refused_before_it_is_compiled(
    tiny_config, fields, monkeypatch
):
    def compiled(*args, **kwargs):
        raise AssertionError("something was compiled")

    monkeypatch.setattr(jax, "jit", compiled)
    tiny_config.update_from_flattened_dict(fields)
    with pytest.raises(UserError, match="need about .* GiB are free; make layers"):
        checked(tiny_config)


def test_the_images_count_unless_they_are_streamed(tiny_config, monkeypatch):
    exp = experiment.build(tiny_config.to_dict())
    rest = memory_estimate.estimate(exp.algorithm, 8) * jax.device_count()
    monkeypatch.setattr(memory, "available", lambda device: rest)
    assert "data.stream=True" in checked(tiny_config)
    tiny_config.data.stream = True
    assert checked(tiny_config) == ""


@pytest.mark.parametrize("share, refused", [(0.49, True), (0.51, False)])
def test_a_run_is_refused_only_where_twice_the_memory_would_not_do(
    tiny_config, monkeypatch, share, refused
):
    exp = experiment.build(tiny_config.to_dict())
    images = exp.dataset.train.images.nbytes
    needed = (images + memory_estimate.estimate(exp.algorithm, 8)) * jax.device_count()
    monkeypatch.setattr(memory, "available", lambda device: int(share * needed))
    if refused:
        with pytest.raises(UserError, match="make layers, codes or batches smaller"):
            checked(tiny_config)
    else:
        assert checked(tiny_config).startswith("warning: config.networks")


def test_the_limit_of_a_container_counts(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "CONTAINER", tmp_path)
    cpu = jax.devices("cpu")[0]
    unlimited = memory.available(cpu)
    (tmp_path / "memory.current").write_text("1000\n")
    (tmp_path / "memory.stat").write_text("anon 700\nactive_file 200\ninactive_file 50")
    (tmp_path / "memory.max").write_text("max\n")
    assert abs(memory.available(cpu) - unlimited) < 2**30
    (tmp_path / "memory.max").write_text("5000\n")
    assert memory.available(cpu) == 4250, "the cache of files can be given back"


def test_where_nobody_knows_how_much_there_is_nothing_is_refused(
    tiny_config, monkeypatch
):
    monkeypatch.setattr(memory, "available", lambda device: None)
    checked(tiny_config)


def test_this_machine_has_some_memory_and_not_without_end():
    there = memory.available(jax.devices()[0])
    assert there is None or 2**26 < there < 2**50


def test_two_devices_agree_on_gradients_and_statistics(tiny_config):
    exp = experiment.build(tiny_config.to_dict())
    sent = sum(Training(exp, 2).agreements())
    parameters = jax.tree.leaves(exp.first_state().params)
    gradients = 4 * sum(leaf.size for leaf in parameters)
    assert gradients < sent < 1.2 * gradients
