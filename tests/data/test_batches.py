"""The order of the training images, and the two feeds that bring them to a step."""

import jax.numpy as jnp
import numpy as np
import pytest

from infogan_jax.data import batches


@pytest.mark.parametrize(("batch_size", "size"), [(4, 12), (5, 12), (12, 12), (7, 3)])
def test_each_epoch_is_a_permutation_and_a_batch_can_span_two_epochs(batch_size, size):
    steps = 4 * size
    order = batches.indices(3, 0, steps, batch_size, size).ravel()
    assert len(order) == steps * batch_size
    for epoch in order.reshape(-1, size):
        np.testing.assert_array_equal(np.sort(epoch), np.arange(size))


def test_every_image_is_seen_equally_often():
    order = batches.indices(0, 0, 13, 10, 13)
    np.testing.assert_array_equal(np.bincount(order.ravel()), np.full(13, 10))


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_at_any_step_no_image_was_seen_two_times_more_than_another(steps):
    counts = np.bincount(batches.indices(0, 0, steps, 4, 10).ravel(), minlength=10)
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("bounds", [[0, 12], [0, 1, 12], [0, 5, 6, 10, 12], range(13)])
@pytest.mark.parametrize(("batch_size", "size"), [(4, 10), (10, 10), (25, 10)])
def test_the_order_does_not_depend_on_the_number_of_steps_in_a_call(
    bounds, batch_size, size
):
    whole = batches.indices(1, 0, 12, batch_size, size)
    bounds = list(bounds)
    parts = [
        batches.indices(1, start, end - start, batch_size, size)
        for start, end in zip(bounds[:-1], bounds[1:], strict=True)
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_batch_depends_on_seed_and_step_and_not_on_earlier_calls():
    first = batches.indices(5, 9, 1, 4, 10)
    batches.epoch_order.cache_clear()
    batches.indices(6, 2, 3, 4, 10)
    np.testing.assert_array_equal(batches.indices(5, 9, 1, 4, 10), first)


def test_every_epoch_has_its_own_order():
    orders = batches.indices(0, 0, 20, 50, 50)
    assert len({tuple(order) for order in orders.tolist()}) == 20
    agreement = np.mean(orders[1:] == orders[:-1])
    assert agreement < 0.1


def test_every_seed_has_its_own_order():
    orders = [batches.indices(seed, 0, 1, 50, 50)[0] for seed in range(20)]
    assert len({tuple(order.tolist()) for order in orders}) == 20


def test_two_seeds_have_no_epoch_in_common():
    def epochs(seed):
        return {tuple(batches.epoch_order(seed, e, 50).tolist()) for e in range(5)}

    assert not epochs(0) & epochs(1)


def test_an_order_is_shuffled_and_not_only_rotated():
    order = batches.epoch_order(0, 0, 1000)
    assert abs(np.corrcoef(order, np.arange(1000))[0, 1]) < 0.1
    assert np.mean(np.diff(order) == 1) < 0.02


def test_a_batch_larger_than_the_data_covers_several_epochs():
    order = batches.indices(2, 1, 1, 25, 10)[0]
    expected = [batches.epoch_order(2, epoch, 10) for epoch in range(2, 5)]
    np.testing.assert_array_equal(order, np.concatenate(expected)[5:])


def test_a_cached_order_is_read_only():
    with pytest.raises(ValueError, match="read-only"):
        batches.epoch_order(0, 0, 10)[0] = 1


def test_epochs_late_in_a_run_are_permutations():
    epoch = batches.indices(0, 10**8, 5, 2, 10).ravel()
    np.testing.assert_array_equal(np.sort(epoch), np.arange(10))


def test_gather_returns_the_images_in_the_order_of_the_batch():
    images = jnp.arange(5 * 4, dtype=jnp.uint8).reshape(5, 2, 2, 1)
    gathered = batches.gather(images, jnp.array([3, 0, 3]))
    expected = np.stack([images[3], images[0], images[3]])
    np.testing.assert_array_equal(gathered, expected)
    assert gathered.dtype == jnp.uint8


@pytest.mark.parametrize("make", [batches.resident, batches.streamed])
@pytest.mark.parametrize("first", [0, 6])
def test_a_feed_returns_the_images_of_the_order_from_any_first_step(make, first):
    images = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1)
    feed = make(images, 3, range(first, 12, 2), 4)
    actual = [
        [feed.fetch(jnp.asarray(feed.resident), step)[:, 0, 0, 0] for step in call]
        for call in map(jnp.asarray, feed.calls(np.arange(4)))
    ]
    expected = batches.indices(3, first, 12 - first, 4, 10).reshape(-1, 2, 4)
    np.testing.assert_array_equal(actual, expected)


class RecordingArray(np.ndarray):
    """An array that records which of its rows are read, by any thread."""

    def __array_finalize__(self, _):
        self.rows_read = []

    def __getitem__(self, rows):
        self.rows_read.extend(np.ravel(rows).tolist())  # one call, so it is atomic
        return super().__getitem__(rows)


def test_a_process_reads_only_its_own_rows_of_the_whole_batch():
    images = np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1).view(RecordingArray)
    rows = np.array([1, 3])
    own = list(batches.streamed(images, 3, range(0, 12, 2), 4).calls(rows))
    expected = batches.indices(3, 0, 12, 4, 10)[:, rows].reshape(-1, 2, 2)
    np.testing.assert_array_equal(np.stack(own)[..., 0, 0, 0], expected)
    assert sorted(images.rows_read) == sorted(expected.ravel())
    kept = batches.resident(np.asarray(images), 3, range(0, 12, 2), 4).calls(rows)
    np.testing.assert_array_equal(list(kept), expected)


WEIGHTS = np.array([0.0, 3.0, 1.0, 0.0, 4.0, 0.0])


def test_images_are_drawn_as_often_as_their_weights_say():
    drawn = batches.drawn_indices(3, 0, 500, 64, WEIGHTS).ravel()
    counts = np.bincount(drawn, minlength=6)
    np.testing.assert_allclose(counts / len(drawn), WEIGHTS / 8, atol=0.01)
    assert not counts[WEIGHTS == 0].any()
    chi = np.sum((counts - len(drawn) * WEIGHTS / 8)[WEIGHTS > 0] ** 2 / counts.max())
    assert chi > 1e-3, "drawn at random, and not dealt out"


def test_only_the_proportion_of_weights_counts():
    one = batches.drawn_indices(0, 0, 10, 16, WEIGHTS)
    np.testing.assert_array_equal(one, batches.drawn_indices(0, 0, 10, 16, WEIGHTS / 8))


def test_a_draw_by_weight_is_a_function_of_seed_step_and_place():
    whole = batches.drawn_indices(5, 0, 12, 8, WEIGHTS)
    parts = [batches.drawn_indices(5, first, 4, 8, WEIGHTS) for first in (0, 4, 8)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert len({tuple(row) for row in whole.tolist()}) == 12
    others = batches.drawn_indices(6, 0, 12, 8, WEIGHTS)
    assert not np.array_equal(others, whole)


@pytest.mark.parametrize("make", [batches.resident, batches.streamed])
def test_a_feed_by_weight_gives_each_process_its_own_rows_of_one_batch(make):
    images = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1)
    whole = batches.drawn_indices(3, 4, 4, 4, WEIGHTS).reshape(2, 2, 4)
    for rows in (np.arange(4), np.array([0, 1]), np.array([2, 3])):
        feed = make(images, 3, range(4, 8, 2), 4, WEIGHTS)
        actual = [
            [feed.fetch(jnp.asarray(feed.resident), step)[:, 0, 0, 0] for step in call]
            for call in map(jnp.asarray, feed.calls(rows))
        ]
        np.testing.assert_array_equal(actual, whole[..., rows])


def test_the_order_without_weights_is_that_of_earlier_versions():
    expected = [[4, 6, 2, 7], [3, 5, 9, 0], [8, 1, 9, 1]]
    np.testing.assert_array_equal(batches.indices(0, 0, 3, 4, 10), expected)
