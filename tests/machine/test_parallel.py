"""Two devices against one; what a compiled call promises.

Every call is awaited before the next: with simulated devices on few cores,
collectives of two calls in flight can wait for each other for ever.
"""

from functools import partial
from operator import itemgetter

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from tiny import build_tiny

from infogan_jax.data import batches
from infogan_jax.game import state, train_step, updates
from infogan_jax.game.algorithm import Optimisers
from infogan_jax.game.real_information.bounds import RealInformation
from infogan_jax.game.real_information.parity import Parity
from infogan_jax.game.real_information.transformations import Transformation
from infogan_jax.machine import parallel

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)
ORDER = np.random.default_rng(1).permutation(40)[:32].reshape(2, 16)
BATCH = IMAGES[ORDER[0]]
close = partial(chex.assert_trees_all_close, rtol=1e-4, atol=2e-6)
RATE = 0.125
TRANSFORMATION = Transformation(rotation=10.0, scale=0.2, shift=0.1)


def build():
    """Plain gradient descent, so that movements show the scale of the gradients."""
    return build_tiny(
        optimisers=Optimisers(optax.sgd(RATE), optax.sgd(RATE)),
        noise_sd=lambda step: 0.1,
        average_decay=0.5,
        terms=RealInformation(
            weight=0.5, change_weight=0.5, transformation=TRANSFORMATION
        ).terms()
        + Parity(weight=0.5, odd=1).terms(),
    )


STEP = partial(train_step.train_step, build())


def gradients(before, after):
    return jax.tree.map(
        lambda a, b: (a - np.asarray(b)) / RATE, before.params, after.params
    )


@pytest.fixture(scope="module")
def mesh():
    return parallel.make_mesh()


@pytest.fixture(scope="module")
def first():
    """The first state on the host, so that no call can donate it away."""
    create = jax.jit(partial(state.create_state, build()))
    return jax.device_get(create(jnp.uint32(3)))


@pytest.fixture(scope="module")
def one_device(first):
    return jax.device_get(jax.jit(STEP)(first, BATCH))


@pytest.fixture(scope="module")
def advance(mesh):
    """The mapped step, compiled as in a real run."""
    return parallel.map_steps(STEP, batches.gather, mesh)


@pytest.fixture(scope="module")
def place(mesh, first):
    """Places state, data and a number of batches on the mesh."""

    def placed(start, order):
        return (
            parallel.replicate(mesh, start),
            parallel.replicate(mesh, IMAGES),
            parallel.split_batches(mesh, order),
        )

    return placed


@pytest.fixture(scope="module")
def two_devices(advance, place, first):
    return jax.device_get(advance(*place(first, ORDER[:1])))


def test_two_devices_take_the_gradient_of_one_and_see_the_same_metrics(
    first, one_device, two_devices
):
    (one, one_metrics), (two, two_metrics) = one_device, two_devices
    of_one, of_two = gradients(first, one), gradients(first, two)
    error = optax.tree.norm(jax.tree.map(np.subtract, of_two, of_one))
    assert error < 1e-5 * optax.tree.norm(of_one)
    close(of_two, of_one, atol=5e-6)  # single numbers differ by up to 2.5e-6 on an EPYC
    close(two_metrics, jax.tree.map(lambda metric: metric[None], one_metrics))
    close((two.stats, two.average), (one.stats, one.average))
    assert two.step == 1


def test_the_mapped_step_is_pmap_of_the_same_function(first, two_devices):
    mapped = jax.pmap(
        partial(STEP, axis=parallel.AXIS), axis_name=parallel.AXIS, in_axes=(None, 0)
    )
    arguments = first, BATCH.reshape(2, 8, 8, 8, 1)
    mapped = mapped.lower(*arguments).compile()
    after, metrics = jax.device_get(mapped(*arguments))
    on_device_0, on_device_1 = (
        jax.tree.map(itemgetter(device), (after, metrics)) for device in (0, 1)
    )
    chex.assert_trees_all_equal(on_device_0, on_device_1)
    close(gradients(first, on_device_1[0]), gradients(first, two_devices[0]))
    close(on_device_1[1], jax.tree.map(itemgetter(0), two_devices[1]))


@pytest.mark.long
def test_without_the_mark_of_varying_parameters_gradients_are_summed_not_averaged(
    monkeypatch, mesh, place, first, two_devices
):
    monkeypatch.setattr(updates.lax, "pcast", lambda tree, *_, **__: tree)
    advance = parallel.map_steps(STEP, batches.gather, mesh)
    placed = place(first, ORDER[:1])
    summed, _ = jax.device_get(advance.lower(*placed).compile()(*placed))
    of_sum, of_mean = (gradients(first, after) for after in (summed, two_devices[0]))
    double = jax.tree.map(lambda mean: 2 * mean, of_mean["discriminator"])
    close(of_sum["discriminator"], double)


@pytest.mark.parametrize("devices", [1, 2])
def test_a_step_waits_for_other_devices_where_there_are_any(devices, first):
    some = parallel.make_mesh(devices=jax.devices()[:devices])
    advance = parallel.map_steps(STEP, batches.gather, some)
    text = advance.lower(first, IMAGES, ORDER[:1]).as_text()
    assert ("all_reduce" in text) == (devices > 1)


def test_two_steps_in_one_call_are_two_calls_of_one_step(
    advance, place, mesh, first, two_devices
):
    once = jax.block_until_ready(advance(*place(two_devices[0], ORDER[1:])))
    arguments = place(first, ORDER)
    both = parallel.map_steps(STEP, batches.gather, mesh).lower(*arguments)
    after, metrics = jax.block_until_ready(both.compile()(*arguments))
    close(after, jax.device_get(once[0]), rtol=1e-3, atol=1e-5)
    parts = (two_devices[1], jax.device_get(once[1]))
    chained = jax.tree.map(lambda *both: np.concatenate(both), *parts)
    close(metrics, chained, rtol=1e-3, atol=1e-5)


def test_a_second_call_compiles_nothing_moves_nothing_and_takes_over_the_state(
    advance, place, first
):
    before, data, batch = place(first, ORDER[:1])
    middle, _ = jax.block_until_ready(advance(before, data, batch))
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(before))
    assert not data.is_deleted()
    with jax.transfer_guard("disallow"):
        after, _ = jax.block_until_ready(advance(middle, data, batch))
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(middle))
    assert int(after.step) == 2
    assert advance._cache_size() == 1


def test_the_mesh_is_one_axis_over_all_devices_or_the_given_ones(mesh):
    assert dict(mesh.shape) == {parallel.AXIS: 2}
    assert list(mesh.devices) == jax.devices()
    second = jax.devices()[1:]
    assert list(parallel.make_mesh(devices=second).devices) == second


def test_every_device_gets_its_rows_of_every_batch_and_all_of_what_is_replicated(mesh):
    split = parallel.split_batches(mesh, ORDER)
    rows = {shard.device: np.asarray(shard.data) for shard in split.addressable_shards}
    for place, device in enumerate(mesh.devices):
        np.testing.assert_array_equal(rows[device], ORDER[:, 8 * place : 8 * place + 8])
    np.testing.assert_array_equal(parallel.local_rows(mesh, 16), np.arange(16))
    copies = parallel.replicate(mesh, IMAGES)
    for shard in copies.addressable_shards:
        np.testing.assert_array_equal(shard.data, IMAGES)
    [copy] = parallel.local_copy([copies])
    assert len(copy.devices()) == 1
    np.testing.assert_array_equal(copy, IMAGES)
