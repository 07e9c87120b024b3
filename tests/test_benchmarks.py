"""The benchmarks: the same work for everyone, fair turns, numbers that add up."""

import json
import os
import sys
from functools import partial
from time import perf_counter

import jax
import numpy as np
import pytest
from numpy.linalg import norm
from tiny import build_tiny

from benchmarks import __main__ as bench
from benchmarks import (
    contestants,
    cost_of_q,
    floor,
    jax_step,
    profile,
    quick,
    report,
    scale,
    startup,
    task,
)
from benchmarks.contestants import COMPILED, EAGER, OURS, PRODUCT, Timing
from benchmarks.jax_step import Training
from benchmarks.task import Repeat, Setting
from infogan_jax import experiment
from infogan_jax.data import scaling
from infogan_jax.game import objective
from infogan_jax.machine import parallel
from infogan_jax.model import latents, networks

BATCH = 8


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="the reference needs PyTorch")


def write_down(path, name, strength):
    """A contestant that notes its turns, and gives up after `strength` of them."""
    turns = iter(range(strength))

    def call():
        if next(turns, None) is None:
            raise OSError("\na leg\nand more")
        with open(path, "a") as file:
            file.write(f"{name} {os.getpid()}\n")

    return Repeat(call, steps=3)


def test_contestants_take_turns_each_in_a_process_of_its_own(tmp_path):
    path = tmp_path / "turns"
    line = {name: (write_down, (path, name, n)) for name, n in (("a", 9), ("b", 2))}
    timings = contestants.race(line, rounds=3, seconds=1e-9)
    turns = path.read_text().split()
    assert "".join(turns[::2]) == "ababaa"
    assert len({*turns[1::2], str(os.getpid())}) == 3
    assert timings["a"].steps == 3 and len(timings["a"].rounds) == 3
    assert timings["b"].failure == "OSError: a leg" and not timings["a"].failure


def test_the_table_compares_round_by_round():
    timings = {
        OURS: Timing(25, 3.5, [10.0, 20.0, 80.0]),
        EAGER: Timing(25, 0.5, [30.0, 60.0, 40.0]),
        COMPILED: Timing(failure="OSError: no compiler"),
        PRODUCT: Timing(1, 0.0, [50.0, 400.0, 400.0]),
    }
    operations = floor.PRODUCT_OPERATIONS // 20
    result = report.summarise(Setting("digits", 128), operations, timings)
    ours = result["contestants"][OURS]
    assert ours["speed"] == pytest.approx(3.0)  # of 3, 3 and 0.5
    assert ours["times_floor"] == pytest.approx(4.0)  # of 4, 1 and 4
    assert ours["images_per_second"] == pytest.approx(128 / 0.020)
    assert ours["compile_s"] == pytest.approx(3.5 - 25 * 0.020)
    assert result["best"] == EAGER  # torch.compile has failed
    assert result["of_best"] == pytest.approx(1 / 3)  # of 1/3, 1/3 and 2
    assert json.loads(json.dumps(result)) == result
    words = "10 to 80", "6,400", "3.00", "failed: OSError: no compiler"
    assert all(word in report.table(result) for word in words)
    timings[EAGER] = timings[PRODUCT] = Timing(failure="ImportError: none")
    result = report.summarise(Setting("digits", 128), operations, timings)
    assert result["contestants"][OURS]["speed"] is None and result["best"] == ""
    assert report.table(result).count("failed: ImportError: none") == 2


def test_speeds_are_those_of_the_first_and_a_failure_has_its_reason():
    timings = {
        "one": Timing(rounds=[10.0, 30.0, 20.0]),
        "two": Timing(rounds=[5.0, 10.0, 10.0]),
        "none": Timing(failure="no memory"),
    }
    _, one, two, none = report.speed_table(timings, 100).splitlines()
    assert one.split() == ["one", "20", "5,000", "1.00"]
    assert two.split() == ["two", "10", "10,000", "2.00"]
    assert none.split() == ["none", "failed:", "no", "memory"]


def test_the_cost_of_q_is_the_median_of_the_ratios_round_by_round():
    timings = {
        cost_of_q.INFOGAN: Timing(rounds=[11.0, 24.0, 10.0]),
        cost_of_q.GAN: Timing(rounds=[10.0, 20.0, 10.0]),
    }
    ratios = cost_of_q.table(timings).splitlines()[-1]
    assert ratios.split()[1:] == ["1.100", "(1.000", "to", "1.200)"]
    timings[cost_of_q.GAN] = Timing(rounds=[10.0], failure="out of memory")
    assert cost_of_q.table(timings).splitlines()[1].endswith("out of memory")


def test_without_codes_the_benchmark_s_step_has_no_q():
    plain = task.build(Setting("digits", 8, has_codes=False)).algorithm
    assert plain.nets.recognition is None
    assert task.build(Setting("digits", 8)).algorithm.nets.recognition is not None


def test_the_floor_is_the_sum_over_passes_and_layers():
    generator = 17 * 32 + 2 * 2 * 16 * 8 * 8 + 4 * 4 * 16 * 8 * 1
    conv, fc, head, q = 4 * 4 * 16 * 1 * 8, 128 * 16, 16, 16 * 8 + 8 * 14
    d, dq = conv + fc + head, conv + fc + head + q
    d_step = generator + 3 * d - conv + 3 * dq - conv
    g_step = 3 * generator - 17 * 32 + 2 * dq
    assert d_step + g_step == 56_208
    assert floor.operations(build_tiny(), 10) == 2 * 10 * 56_208
    averaged = build_tiny(average_decay=0.99)
    hidden = generator - 4 * 4 * 16 * 8 * 1
    assert floor.operations(averaged, 10) == 2 * 10 * (56_208 + hidden)


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--networks", "imagenet"], "imagenet"),
        (["--rounds", "0"], "'0' must be a whole number from 1"),
        (["--seconds", "nan"], "'nan' must be a finite number above 0"),
        (["--batch-sizes", "128", "1"], "'1' must be a whole number from 2"),
    ],
)
def test_a_wrong_flag_ends_in_one_line_and_status_2(flags, words, capsys):
    with pytest.raises(SystemExit) as stopped:
        bench.main(flags)
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and error.count("\n") == 1 and words in error


def test_a_cpu_has_two_precisions_and_a_gpu_three():
    options = bench.parser().parse_args(["--networks", "digits", "svhn"])
    kinds = [(n, p) for n in ("digits", "svhn") for p in ("float32", "bfloat16")]
    chosen = [Setting(network, 128, precision) for network, precision in kinds]
    assert [*bench.settings(options, "cpu")] == chosen
    assert len([*bench.settings(options, "gpu")]) == 2 * 2 * 3
    with pytest.raises(ValueError, match="tf32 needs a GPU"):
        [*bench.settings(bench.parser().parse_args(["--precisions", "tf32"]), "cpu")]


@pytest.mark.parametrize("ratios", [(1.3, 1.0, 1.09), (0.9, 1.2)])
def test_the_median_of_the_pairs_decides(ratios):
    assert quick.verdict(ratios)[0]
    assert quick.verdict([ratio * 1.06 for ratio in ratios]) == (
        False,
        f"a step takes {1.06 * np.median(ratios):.2f} ({1.06 * min(ratios):.2f} to "
        f"{1.06 * max(ratios):.2f}) of the time that it took before; at most 1.10 is "
        "allowed",
    )


def test_a_commit_that_git_does_not_have_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        quick.main(["--commit", "no-such-tag"])
    assert "git has no commit 'no-such-tag'" in capsys.readouterr().err


@pytest.mark.parametrize("status", [0, 3])
def test_start_up_ends_at_the_first_line(tmp_path, status):
    path = tmp_path / "line"
    program = "import sys, time; time.sleep(0.2); open(sys.argv[1], 'w').write('{}')"
    program += f"; time.sleep(1); sys.exit({status})"
    command = [sys.executable, "-c", program, str(path)]
    if status:
        with pytest.raises(RuntimeError, match="status 3"):
            startup.first_line(command, path, os.environ)
        return
    start = perf_counter()
    taken = startup.first_line(command, path, os.environ)
    assert 0.2 <= taken <= perf_counter() - start - 0.9


def test_agreeing_costs_what_the_model_says():
    model = scale.Model(128, 2.0, 4_000_000, 30, hop_us=1.0, pod_us=50.0)
    hops, ring_ms = 2 * 3, 2 * 7 / 8 * 4e6 / 100e9 * 1e3
    assert model.step_ms(8) == pytest.approx(2.0 + ring_ms + 30 * hops * 1e-3)
    within, between = 2 * 255 / 256 * 4e6 / 100e9, 2 * 3 / 4 * 4e6 / 800e9
    waiting = 30 * (32 * 1e-6 + 100e-6)
    assert model.step_ms(1024) == pytest.approx(
        2.0 + 1e3 * (within + between + waiting)
    )
    assert scale.model_table(model, [1]).endswith("64,000      100.0%")
    assert scale.shortest_ms(197 * 10**9, 819 * 10**6 // 7) == pytest.approx(2.0)


def test_all_reduces_are_counted_in_the_text_of_a_program():
    text = """
      %ar.1 = f32[2,3]{1,0} all-reduce(%x), channel_id=1, to_apply=%add
      ROOT %ar.2 = (f32[], bf16[4]{0}, pred[]) all-reduce(%y, %z, %w), to_apply=%add
      %dot = f32[9]{0} dot(%all-reduce, %v)
    """
    assert jax_step.all_reduces(text) == [24, 4 + 8 + 1]


BODY = "jit(many)/while/body/closed_call/"
CONV = BODY + "transpose(jvp(Discriminator))/trunk/trunk._apply/conv_1/cond/"


@pytest.mark.parametrize(
    "opcode, path, kind, layer, backward",
    [
        ("dot", CONV + "transpose", "matrix products", "trunk conv_1", True),
        ("fusion", CONV + "pad", "factors, overlap-add, biases", "trunk conv_1", True),
        ("fusion", BODY + "jvp(Stack)/Stack._apply/norm_0/sub", "batch norm", 0, False),
        ("fusion", BODY + "vmap(jit(_uniform))/while/body/add", "random numbers", 0, 0),
        ("fusion", BODY + "add", "optimisers, inputs", "no layer", False),
    ],
)
def test_an_instruction_is_known_by_its_path(opcode, path, kind, layer, backward):
    text = f'  %x.1 = (f32[2]{{0}}, f32[]) {opcode}(%y), metadata={{op_name="{path}"}}'
    [(name, origin)] = profile.origins(text).items()
    assert name == "x.1" and profile.kind(origin) == kind
    assert profile.is_backward(origin) == bool(backward)
    assert not layer or profile.layer(origin) == layer


def test_the_largest_kernels_come_first():
    events = [("add", 1e6), ("dot", 5e6), ("add", 2e6), ("tail", 2e6)]
    lines = profile.kernel_table(events, steps=2, rows=2).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["dot", "0.5", "2.5000", "50.0%"],
        ["add", "1.0", "1.5000", "30.0%"],
        ["all", "3", "2.0", "5.0000", "100.0%"],
    ]


@pytest.mark.filterwarnings("ignore:builtin type event_stats")  # of jaxlib 0.12
def test_the_profile_of_a_call_adds_up(tiny_config):
    tiny_config.networks.trunk = "conv 8 s2 lrelu"
    exp = experiment.build(tiny_config.to_dict())
    kinds, layers = profile.report(Training(exp)).split("\n\n")
    assert "matrix products" in kinds and "trunk conv_0" in layers
    assert kinds.splitlines()[-1] == layers.splitlines()[-1]


def equation_6(algorithm, params, stats, real, drawn):
    """Both losses, and each player's gradient of its own."""
    spec, nets = algorithm.spec, algorithm.nets

    def losses(g, d):
        inputs = latents.pack(spec, drawn)
        x, _ = networks.generate(nets, g, stats, inputs, train=True)
        logits, outputs, *_ = networks.discriminate(nets, d, stats, x, train=True)
        seen, *_ = networks.discriminate(nets, d, stats, real, train=True)
        bounds = objective.mi_bounds(spec, outputs, drawn.codes)
        information = latents.weighted_sum(spec, bounds)
        d_loss, _ = objective.discriminator_loss(seen, logits, information)
        return d_loss, objective.generator_loss(logits, information)[0]

    (_, of_d), (of_g, _) = jax.jacrev(losses, (0, 1))(params, params)
    return losses(params, params), {**of_d, "generator": of_g["generator"]}


@pytest.mark.parametrize("network", task.NETWORKS)
def test_pytorch_has_the_same_losses_and_gradients(torch, network):
    from benchmarks import torch_reference

    exp = task.build(Setting(network, BATCH))
    spec, nets = exp.algorithm.spec, exp.algorithm.nets
    batch = exp.dataset.train.images[:BATCH]
    real, pixels = scaling.to_range(batch, nets.output_range), torch.from_numpy(batch)
    params, stats = jax.jit(partial(networks.init, nets))(jax.random.key(1))
    ours = partial(equation_6, exp.algorithm)
    ours = jax.jit(jax.vmap(ours, None, None, parallel.AXIS, 1))
    model = torch_reference.InfoGAN(exp.algorithm)
    arrays = torch_reference.parameters(nets, params)
    for parameter, array in zip(model.parameters(), arrays, strict=True):
        parameter.data = torch.from_numpy(array.copy())
    errors = []
    draws = np.random.default_rng(0).uniform(-1, 1, (4, BATCH, spec.uniform_size))
    for uniform in draws:
        drawn = latents.sample(spec, jax.numpy.float32(uniform))
        values, gradient = ours(params, stats, real, drawn)
        codes = {name: torch.tensor(c.tolist()) for name, c in drawn.codes.items()}
        inputs = torch.tensor(latents.pack(spec, drawn).tolist())
        model.requires_grad_(True).zero_grad()
        d_loss = model.discriminator_loss(pixels.permute(0, 3, 1, 2), codes, inputs)
        d_loss.backward()
        model.judges.requires_grad_(False)
        g_loss = model.generator_loss(codes, inputs)
        g_loss.backward()
        np.testing.assert_allclose([d_loss.item(), g_loss.item()], values, rtol=1e-4)
        arrays = torch_reference.parameters(nets, gradient)
        pairs = zip(model.parameters(), arrays, strict=True)
        errors.append(max(norm(p.grad.numpy() - a) / norm(a) for p, a in pairs))
    assert min(errors) < 1e-4  # rounding may push a ReLU over its kink, but not always


@pytest.mark.parametrize("network", ["digits", "svhn"])
def test_pytorch_does_the_work_that_the_floor_counts(torch, network):
    from torch.utils.flop_counter import FlopCounterMode

    from benchmarks import torch_reference, torch_step

    exp = task.build(Setting(network, BATCH))
    model = torch_reference.InfoGAN(exp.algorithm, noise_sd=0.15)
    step = torch_step.train_step(model, exp)
    height, width, channels = exp.image_shape
    with FlopCounterMode(display=False) as counter:
        step(torch.zeros((BATCH, channels, height, width), dtype=torch.uint8))
    assert (exp.algorithm.average_decay > 0) == (network == "svhn")
    assert counter.get_total_flops() == floor.operations(exp.algorithm, BATCH)
    assert model._blur(torch.zeros(10_000)).std().item() == pytest.approx(0.15, 0.1)


def test_pytorch_has_the_same_average_of_g(torch):
    from benchmarks import torch_reference, torch_step

    exp = task.build(Setting("svhn", BATCH))
    model = torch_reference.InfoGAN(exp.algorithm)
    update, average = torch_step.averaging(model, exp.algorithm.average_decay)
    before, weight = average[1].weight.clone(), model.generator[1].weight
    inputs = torch.randn(BATCH, exp.algorithm.nets.input_size)
    expected, mean = before, torch.zeros(len(before))
    for decay in (1 / 10, 2 / 11):
        weight.data += 1.0
        expected = decay * expected + (1 - decay) * weight
        mean = 0.9 * mean + 0.1 * (inputs @ expected.T).mean(0)
        update(inputs)
    torch.testing.assert_close(average[1].weight, expected.detach())
    torch.testing.assert_close(average[2].running_mean, mean.detach())
    assert not torch.equal(model.generator[2].running_mean, mean)
