"""A run knows its images again, and what it held out stays held out."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infogan_jax.data.dataset import Dataset, Split
from infogan_jax.errors import UserError
from infogan_jax.run import data_record

IMAGES = np.random.default_rng(0).integers(0, 256, (30, 4, 4, 1), np.uint8)
LABELS = np.arange(30) % 3


def split(rows, images=IMAGES, labels=LABELS):
    return Split(images[rows], None if labels is None else labels[rows])


def dataset(train, test, **options):
    provenance = {"name": "made up", "classes": ["a", "b", "c"]}
    return Dataset(split(train, **options), split(test, **options), provenance)


def rows_of(part):
    """Which of IMAGES the images of a split are."""
    return [int(np.flatnonzero((IMAGES == i).all((1, 2, 3)))[0]) for i in part.images]


def same(one, other):
    return data_record.identify(one).digest == data_record.identify(other).digest


TRAIN, TEST = list(range(6, 30)), list(range(6))


@pytest.fixture
def workdir(tmp_path):
    data_record.write(tmp_path, dataset(TRAIN, TEST))
    return tmp_path


def test_the_record_says_what_is_known_without_the_data(workdir):
    record = data_record.read(workdir)
    assert record | {"digest": ""} == {
        "name": "made up",
        "image_shape": [4, 4, 1],
        "train": 24,
        "test": 6,
        "test_is_held_out": True,
        "classes": ["a", "b", "c"],
        "factor_names": [],
        "digest": "",
        "rules": None,
    }
    assert re.fullmatch("[0-9a-f]{64}", record["digest"])


def test_an_older_run_has_no_record_and_takes_its_data_as_it_is(tmp_path):
    data = dataset(TRAIN, TEST)
    assert data_record.read(tmp_path) == {}
    assert data_record.recognise(tmp_path, data) is data


def test_the_same_data_is_returned_as_it_is(workdir):
    data = dataset(TRAIN, TEST)
    assert data_record.recognise(workdir, data) is data


@given(st.permutations(range(30)), st.integers(1, 29))
@settings(max_examples=25, deadline=None)
def test_the_same_images_in_any_order_and_split_come_back_as_they_were(
    tmp_path_factory, order, cut
):
    workdir = tmp_path_factory.mktemp("run")
    data_record.write(workdir, dataset(TRAIN, TEST))
    now = dataset(order[cut:], order[:cut])
    found = data_record.recognise(workdir, now)
    assert (rows_of(found.train), rows_of(found.test)) == (TRAIN, TEST)
    np.testing.assert_array_equal(found.test.labels, LABELS[TEST])
    assert same(found, dataset(TRAIN, TEST))


def test_equal_images_are_matched_one_to_one(tmp_path):
    twice = dataset([*TRAIN, 6, 6], [*TEST, 6])
    data_record.write(tmp_path, twice)
    other = dataset([6, 6, *TEST, *TRAIN], [6])
    found = data_record.recognise(tmp_path, other)
    assert rows_of(found.train) == [*TRAIN, 6, 6]
    assert rows_of(found.test) == [*TEST, 6]
    with pytest.raises(UserError, match=r"of its 33 images 1 are gone .* 0 are new"):
        data_record.recognise(tmp_path, dataset([*TRAIN, 6], [*TEST, 6]))


EDITED = IMAGES.copy()
EDITED[7, 0, 0] ^= 1
RELABELLED = LABELS.copy()
RELABELLED[[3, 8]] = (LABELS[[3, 8]] + 1) % 3


@pytest.mark.parametrize(
    "data, gone, new",
    [
        (dataset(TRAIN[1:], TEST), 1, 0),
        (dataset(TRAIN, TEST[2:]), 2, 0),
        (dataset(TRAIN[:-1], TEST, images=EDITED), 2, 1),
        (dataset(TRAIN, TEST, images=EDITED), 1, 1),
        (dataset(TRAIN, TEST, labels=RELABELLED), 2, 2),
        (dataset(TRAIN, TEST, labels=None), 30, 30),
    ],
)
def test_changed_data_is_refused_with_its_counts(workdir, data, gone, new):
    counts = rf"of its 30 images {gone} are gone or edited .*, and {new} are new\."
    with pytest.raises(UserError, match=counts) as caught:
        data_record.recognise(workdir, data)
    assert "\n" not in str(caught.value)


def test_accepted_data_keeps_held_out_what_was_held_out(tmp_path):
    kept = list(range(28))
    data_record.write(tmp_path, dataset(kept[6:], kept[:6]))
    # 28 is new; 1 is gone; and another permutation would hold out others
    now = dataset([0, 2, *range(10, 29)], [3, 4, 5, 6, 7, 8, 9])
    found = data_record.recognise(tmp_path, now, accept=True)
    assert rows_of(found.test) == [0, 2, 3, 4, 5]
    assert rows_of(found.train) == [*range(6, 28), 28]
    data_record.write(tmp_path, found, again=True)
    again = data_record.recognise(tmp_path, now)
    assert same(again, found)


def test_data_of_which_nothing_held_out_is_left_is_not_accepted(workdir):
    with pytest.raises(UserError, match="none of the images left that were held out"):
        data_record.recognise(workdir, dataset(TRAIN[1:], TRAIN[:1]), accept=True)


def test_a_record_is_written_once_unless_it_is_to_be_written_again(workdir):
    before = data_record.read(workdir)
    data_record.write(workdir, dataset(TRAIN[1:], TEST))
    assert data_record.read(workdir) == before
    data_record.write(workdir, dataset(TRAIN[1:], TEST), again=True)
    assert data_record.read(workdir)["train"] == 23


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xff" * 100])
def test_a_damaged_record_is_named_with_a_way_out(workdir, content):
    (workdir / data_record.DIGESTS).write_bytes(content)
    with pytest.raises(
        UserError, match=r"image_digests\.npz cannot be read .*remove it"
    ):
        data_record.recognise(workdir, dataset(TRAIN, TEST))
    (workdir / data_record.RECORD).write_bytes(content)
    with pytest.raises(UserError, match=r"data\.json cannot be read .*restore a copy"):
        data_record.read(workdir)


def test_factors_are_part_of_an_image(workdir):
    data = dataset(TRAIN, TEST, labels=None)
    one = replace(data.train, factors=np.zeros((24, 2), np.int32))
    other = replace(data.train, factors=np.ones((24, 2), np.int32))
    digests = [
        data_record.identify(replace(data, train=each)).digest
        for each in (data.train, one, other)
    ]
    assert len(set(digests)) == 3


WEIGHTS = np.arange(24) / 3


def weighted(known, weights=WEIGHTS):
    return replace(known, train=replace(known.train, weights=weights))


@pytest.fixture
def with_weights(tmp_path):
    data_record.write(tmp_path, weighted(dataset(TRAIN, TEST)))
    return tmp_path


def test_a_run_gives_its_weights_to_the_data_whatever_its_order(with_weights):
    for rows in (TRAIN, TRAIN[::-1]):
        found = data_record.recognise(with_weights, dataset(rows, TEST))
        np.testing.assert_array_equal(found.train.weights, WEIGHTS)
        assert rows_of(found.train) == TRAIN and found.test.weights is None


def test_weights_belong_to_images_and_not_to_places(with_weights):
    other_order = weighted(dataset(TRAIN[::-1], TEST), WEIGHTS[::-1].copy())
    found = data_record.recognise(with_weights, other_order)
    np.testing.assert_array_equal(found.train.weights, WEIGHTS)
    with pytest.raises(UserError, match="other weights than the run"):
        data_record.recognise(with_weights, weighted(dataset(TRAIN[::-1], TEST)))


def test_other_weights_are_refused_and_so_are_any_in_a_run_without(
    with_weights, tmp_path
):
    with pytest.raises(UserError, match=r"other weights .*weights\.npy; go on with"):
        data_record.recognise(with_weights, weighted(dataset(TRAIN, TEST), WEIGHTS + 1))
    plain = tmp_path / "plain"
    data_record.write(plain, dataset(TRAIN, TEST))
    assert data_record.read_weights(plain) is None
    with pytest.raises(UserError, match="which has no weights; go on with these"):
        data_record.recognise(plain, weighted(dataset(TRAIN, TEST)))


def test_new_images_have_no_weight_and_are_refused_even_where_accepted(with_weights):
    with pytest.raises(UserError, match="1 are gone .*have no weight to be drawn by"):
        data_record.recognise(with_weights, dataset(TRAIN[1:], TEST), accept=True)


def test_weights_that_were_edited_or_lost_are_refused(with_weights):
    path = with_weights / data_record.WEIGHTS
    np.testing.assert_array_equal(data_record.read_weights(with_weights), WEIGHTS)
    np.save(path, WEIGHTS[::-1])
    with pytest.raises(UserError, match="its digest is not that in data.json"):
        data_record.recognise(with_weights, dataset(TRAIN, TEST))
    path.unlink()
    with pytest.raises(UserError, match=r"weights\.npy cannot be read"):
        data_record.recognise(with_weights, dataset(TRAIN, TEST))
