"""Training with a few labels: what they do, and what no other label can do."""

import json
from dataclasses import replace
from functools import cache, partial

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tiny_model import IMAGES, LABELS

from infogan_jax import experiment, training
from infogan_jax.analysis import trained_model
from infogan_jax.analysis.report import classes, few_labels, numbers
from infogan_jax.data import batches, labelled
from infogan_jax.data.dataset import Dataset, Split
from infogan_jax.data.labelled import Batch
from infogan_jax.errors import UserError
from infogan_jax.experiment import Extensions
from infogan_jax.game import train_step
from infogan_jax.machine import parallel
from infogan_jax.restoring import restore
from infogan_jax.run.run_directory import LABELS as RECORD
from infogan_jax.several import one_program

BATCH = IMAGES[:16]


def dataset(labels=LABELS):
    """The column of a line shows the class (tests/tiny_model.py)."""
    train = Split(IMAGES, labels)
    return Dataset(train, Split(IMAGES[:60], labels[:60]), {"name": "lines"})


@pytest.fixture
def config(tiny_config):
    """16 of the images a step, of which 6 have labels."""
    tiny_config.latents.codes = "categorical(3) @ 0.1"
    tiny_config.labels.update(count=6, weight=1.0)
    tiny_config.optimiser.discriminator_learning_rate = 0.01
    tiny_config.training.update(steps=8, steps_per_call=4, log_every=4)
    return tiny_config


def trained(config, run, data, steps=8):
    """The state after training, and the experiment."""
    config.training.steps = steps
    extensions = Extensions(dataset=data)
    assert training.train(config.to_dict(), run, extensions=extensions) == 0
    return restore(run, extensions=extensions)


def params(config, run, data, **options):
    return jax.device_get(trained(config, run, data, **options)[1].params)


def relabelled(data):
    """Nearly all other images get another label, so that the same ones are drawn."""
    drawn = labelled.draw(data.train, 6, 0).rows
    labels = (LABELS + 1) % 3
    labels[drawn] = LABELS[drawn]
    for _ in range(10):
        intruders = np.setdiff1d(labelled.draw(Split(IMAGES, labels), 6, 0).rows, drawn)
        labels[intruders] = LABELS[intruders]
    assert (labelled.draw(Split(IMAGES, labels), 6, 0).rows == drawn).all()
    assert np.mean(labels != LABELS) > 0.8
    return replace(data, train=Split(IMAGES, labels)), drawn


@pytest.mark.long
def test_no_other_label_than_the_drawn_ones_has_any_effect(config, tmp_path):
    data = dataset()
    other, drawn = relabelled(data)
    at_first = params(config, tmp_path / "a", data)
    chex.assert_trees_all_equal(params(config, tmp_path / "b", other), at_first)
    record = json.loads((tmp_path / "a" / RECORD).read_text())
    assert record["rows"] == drawn.tolist()


@pytest.mark.long
def test_a_run_that_was_stopped_goes_on_with_the_same_labels_in_the_same_bits(
    config, tmp_path
):
    data = dataset()
    at_once = params(config, tmp_path / "a", data)
    params(config, tmp_path / "b", data, steps=4)
    chex.assert_trees_all_equal(params(config, tmp_path / "b", data), at_once)


def test_category_i_becomes_class_i_whatever_the_classes_are_called(config, tmp_path):
    data = dataset((LABELS + 1) % 3)
    exp, after = trained(config, tmp_path / "run", data, steps=100)
    model = trained_model.from_dataset(
        exp.algorithm, after, 0, 200, exp.dataset, exp.labelled
    )
    found = classes.measure(model).measures
    taught = found["taught_accuracy_test"]
    assert taught.value > 0.95
    assert "6 training labels, 2 of each class" in taught.protocol
    matched = found["accuracy_test"]
    assert matched.protocol.endswith("6 training labels were used in training")
    section = few_labels.measure(model)
    table = section.tables["few_labels"]
    assert table.rows[0] == "Q" and table.columns[0] == "these 6 labels"
    assert table.values[0, 0] == taught.value
    assert np.isnan(table.values[0, 1]) and "nan" not in numbers.html("x", section)
    assert section.measures["linear_trunk_same_labels"].value == table.values[1, 0]


@cache
def compiled(algorithm):
    return jax.jit(partial(train_step.train_step, algorithm))


def built(config, game="non_saturating", seed=0):
    """An experiment and its first state."""
    config.update(seed=seed)
    config.objective.game = game
    exp = experiment.build(config.to_dict(), Extensions(dataset=dataset()))
    return exp, jax.device_get(exp.first_state())


def test_the_drawn_labels_move_q_and_the_trunk_and_not_the_head_of_d(config):
    exp, first = built(config)
    few, step = exp.labelled, compiled(exp.algorithm)
    wrong = few._replace(classes=np.roll(few.classes, 1, axis=1))
    (after, metrics), (other, others) = (
        step(first, Batch(BATCH, each)) for each in (few, wrong)
    )
    same = jax.tree.map(lambda a, b: bool((a == b).all()), after.params, other.params)
    assert all(jax.tree.leaves(same["discriminator"]["head"]))
    assert not any(jax.tree.leaves(same["recognition"]["fc_1"]))
    assert not all(jax.tree.leaves(same["discriminator"]["trunk"]))
    assert metrics["labels/cross_entropy"] != others["labels/cross_entropy"]
    assert metrics["loss/discriminator"] == others["loss/discriminator"]


@pytest.mark.long
def test_several_seeds_in_one_program_have_labelled_images_of_their_own(config):
    exp, first = built(config)
    exps = [exp, built(config, seed=1)[0]]
    feed = batches.of_runs([each.feed(0) for each in exps])
    algorithms = one_program.same_for_all(exp.algorithm)
    together = jax.jit(partial(one_program.vmapped_step, algorithms))
    step = compiled(exp.algorithm)
    states = jax.tree.map(lambda leaf: np.stack([leaf, leaf]), first)
    rows = jnp.arange(16)[:, None].repeat(2, axis=1)
    batch = feed.fetch(jax.tree.map(jnp.asarray, feed.resident), rows)
    _, found = together(states, batch)
    alone = [step(first, Batch(BATCH, each.labelled))[1] for each in exps]
    expected = jax.tree.map(lambda *each: np.stack(each), *alone)
    chex.assert_trees_all_close(found, expected, rtol=1e-4, atol=1e-5)
    assert np.ptp(found["labels/cross_entropy"]) > 1e-3


@pytest.mark.long
def test_two_devices_match_the_features_of_the_whole_batch(config):
    """And draw the same labelled images as one device."""
    config.latents.codes = ""
    config.networks.update(generator="fc 8x8x1 sigmoid", trunk="fc 8 lrelu")
    exp, first = built(config, "classes(3)")
    step, feed = partial(train_step.train_step, exp.algorithm), exp.feed(0)
    _, one = compiled(exp.algorithm)(first, Batch(BATCH, exp.labelled))
    mesh = parallel.make_mesh()
    place = partial(parallel.replicate, mesh)
    calls = parallel.split_batches(mesh, np.arange(16, dtype=np.int32)[None])
    advance = parallel.map_steps(step, feed.fetch, mesh)
    _, two = advance(place(first), place(feed.resident), calls)
    whole = jax.tree.map(lambda metric: metric[None], one)
    chex.assert_trees_all_close(jax.device_get(two), whole, rtol=1e-4, atol=1e-6)
    assert one["loss/generator"] > 1e-3 and "labels/cross_entropy" in one


def test_d_s_error_is_in_the_evaluation_with_the_number_of_its_labels(config):
    exp, first = built(config, "classes(3)")
    model = trained_model.from_dataset(
        exp.algorithm, first, 0, 200, exp.dataset, exp.labelled
    )
    error = classes.measure(model).measures["class_error_test"]
    found = model.test_outputs.logits.argmax(axis=1)
    assert error.value == pytest.approx(np.mean(found != exp.dataset.test.labels))
    assert error.protocol.startswith("share of 60 held-out images that D takes for")
    assert "6 training labels, 2 of each class" in error.protocol
    assert few_labels.measure(model).tables["few_labels"].rows[0] == "D"


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"labels.count": 7}, r"labels\.count \(=7\) must be a multiple .*; try 6"),
        ({"latents.codes": "uniform"}, "codes has no categorical code; add one"),
        (
            {"latents.codes": "categorical(10), categorical(4)"},
            r"classes \(=3\) .* to teach, not of 10 or 4; add categorical\(3\)",
        ),
        (
            {"objective.game": "classes"},
            r"game \(=classes\(10\)\) must .* the data \(=3\); set it to classes\(3\)",
        ),
        (
            {"objective.game": "classes(3)", "labels.count": 0},
            r"labels\.count \(=0\) gives D no label of the 3 classes .* set it to 30",
        ),
        ({"labels.weight": 0.0}, r"labels\.weight \(=0\.0\) must be .* greater than 0"),
    ],
)
def test_labels_that_do_not_fit_are_refused_with_a_way_out(config, fields, words):
    config.update_from_flattened_dict(fields)
    with pytest.raises(UserError, match=words) as caught:
        experiment.build(config.to_dict(), Extensions(dataset=dataset()))
    assert len(str(caught.value).splitlines()) == 1


def test_a_step_without_labelled_images_says_what_it_needs(config):
    exp, first = built(config)
    with pytest.raises(UserError, match=r"labels\.count is not 0, .* give it a Batch"):
        jax.eval_shape(partial(train_step.train_step, exp.algorithm), first, BATCH)
